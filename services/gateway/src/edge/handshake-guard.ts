/**
 * Refuses handshakes before a transport opens: foreign origins, on both transports, and new
 * handshakes while the node drains. It also frees the first request of each connection.
 */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { isOriginAllowed } from './origin.ts';

export type HandshakeRefusal = 'origin' | 'draining';

export interface HandshakeGuard {
  /** From now on new handshakes are answered 503. */
  refuseAll(): void;
}

type EngineRequest = IncomingMessage & { _query: { sid?: string } };
/** For an upgrade: an object of Engine.IO that lives as long as the connection. */
type UpgradeResponse = { socket: Duplex; req: IncomingMessage | undefined };
type Middleware = (request: EngineRequest, response: ServerResponse | UpgradeResponse, next: () => void) => void;

/** What is used of an Engine.IO server. */
export interface GuardedEngine {
  use(middleware: Middleware): void;
  on(event: 'connection', listener: (connection: { request?: IncomingMessage | undefined }) => void): unknown;
}

/** A client that does not read the answer to a refused upgrade is dropped after this time. */
const REFUSAL_WAIT_MS = 5_000;

export function guardHandshakes(
  engine: unknown,
  options: { allowedOrigins: ReadonlySet<string>; onRefused: (reason: HandshakeRefusal) => void },
): HandshakeGuard {
  const guarded = engine as GuardedEngine;
  const { allowedOrigins, onRefused } = options;
  const responses = new WeakMap<IncomingMessage, UpgradeResponse>();
  let refusing = false;

  guarded.use((request, response, next) => {
    if (!isOriginAllowed(request.headers.origin, request.headers.host, allowedOrigins)) {
      onRefused('origin');
      return refuse(response, 403, 'this origin is not allowed');
    }
    // Engine.IO treats an empty `sid` as a missing one.
    if (!request._query.sid && refusing) {
      onRefused('draining');
      return refuse(response, 503, 'this node is leaving');
    }
    if (response instanceof ServerResponse) return next();
    responses.set(request, response);
    next();
    // The upgrade of an existing session was answered in this turn. A new session is released
    // below.
    if (request._query.sid) response.req = undefined;
  });
  // The first request is one of the largest objects of a connection, and nothing needs it any more.
  guarded.on('connection', (connection) => {
    const response = connection.request && responses.get(connection.request);
    if (response !== undefined) response.req = undefined;
    connection.request = undefined;
  });

  return {
    refuseAll() {
      refusing = true;
    },
  };
}

/**
 * Answers instead of Engine.IO, which cannot send these statuses. For an upgrade there is only the
 * socket to write to.
 */
function refuse(response: ServerResponse | UpgradeResponse, status: 403 | 503, reason: string): void {
  if (response instanceof ServerResponse) {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(reason);
    return;
  }
  refuseUpgrade(response.socket, status);
}

/**
 * Answers an upgrade and destroys its socket. Node.js has released the socket by then. Without a
 * listener its errors would end the process, and without a reader its end would go unnoticed.
 */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroy());
  // If the client does not read an earlier answer, this one would wait for ever.
  const timer = setTimeout(() => socket.destroy(), REFUSAL_WAIT_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
