/** An edge on loopback without Redis, for tests of its connections. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@maru/service-kit';
import { createTicker } from '../../cluster/ticker.ts';
import type { NodeLimit } from '../../limits/node-limits.ts';
import type { Connection } from '../connection.ts';
import { createEdge, type EdgeHandlers } from '../server.ts';

export interface EdgeRig {
  httpServer: Server;
  port: number;
  /** Reasons of refused handshakes. */
  refused: string[];
  edge: ReturnType<typeof createEdge>;
  /** The node's limit that the next handshake would exceed. */
  limit: NodeLimit | undefined;
  /** Called for each connection, which it may end. Requests of the connection go to `onRequest`. */
  onConnected: (connection: Connection) => void;
  onRequest: (...request: unknown[]) => void;
  close(): Promise<void>;
}

export async function openEdgeRig(): Promise<EdgeRig> {
  const httpServer = createServer();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  const now = () => performance.now();
  const refused: string[] = [];
  const handlers: EdgeHandlers<object, string> = {
    transportOpened() {},
    transportClosed() {},
    authenticate: async () => ({}),
    connected(_transport, connection) {
      rig.onConnected(connection);
      return connection.closed ? undefined : 'owner';
    },
    request: (...request) => rig.onRequest(...request),
    disconnected() {},
  };
  const edge = createEdge<object, string>({
    httpServer,
    node: 'n-1',
    sessionRoute: 'name',
    allowedOrigins: new Set(),
    fastPath: true,
    pingIntervalMs: 25_000,
    pingTimeoutMs: 20_000,
    handlers,
    limitReached: () => rig.limit,
    onRefused: (reason) => refused.push(reason),
    ephemeral: {
      store: undefined as never,
      subscriber: { want() {}, unsubscribe: async () => {} },
      onError() {},
    },
    logger,
    now,
  });
  await edge.open(createTicker({ periodMs: 500, logger, now }));
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const { port } = httpServer.address() as AddressInfo;
  const rig: EdgeRig = {
    ...{ httpServer, port, refused, edge },
    limit: undefined,
    onConnected() {},
    onRequest() {},
    close: () => edge.close(),
  };
  return rig;
}
