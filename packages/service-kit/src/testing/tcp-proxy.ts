/**
 * A TCP proxy in front of Redis with the faults of a real network: lost replies, silent
 * connections, delays, resets. It identifies connections by the name that they set with `CLIENT
 * SETNAME`.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * `pass`: forwards everything. `swallow`: forwards requests and drops replies. `blackhole`: drops
 * both without an error. `delay`: delays replies by `delayMs`. New connections behave like existing
 * ones.
 */
export type ProxyMode = 'pass' | 'swallow' | 'blackhole' | 'delay';

export interface TcpProxy {
  port: number;
  mode: ProxyMode;
  delayMs: number;
  /** Dropped bytes of replies. */
  readonly swallowedBytes: number;
  /**
   * Existing connections whose purpose (the end of their name) is in `purposes` forward nothing
   * from now on, and are never closed. New ones work. Returns the number of affected connections.
   */
  silence(purposes: readonly string[]): number;
  /** Number of connections of each name since the start, including closed ones. */
  opened(): ReadonlyMap<string, number>;
  /** Resets every connection, like a firewall that lost its state. */
  reset(): void;
  close(): Promise<void>;
}

interface Pair {
  sockets: [client: Socket, upstream: Socket];
  name: string | undefined;
  isSilent: boolean;
}

/** Matches the name of a connection of our services in the command `CLIENT SETNAME`. */
const NAME = /\$7\r\nsetname\r\n\$\d+\r\nmaru:([\w:.-]+)/i;

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const opened = new Map<string, number>();
  let swallowedBytes = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...target, noDelay: true });
    const pair: Pair = { sockets: [client, upstream], name: undefined, isSilent: false };
    pairs.add(pair);
    const end = () => {
      if (pair.isSilent) return;
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair.sockets) socket.on('error', end).on('close', end);
    client.on('data', (request) => {
      if (pair.name === undefined) {
        pair.name = NAME.exec(request.toString('latin1'))?.[1];
        if (pair.name !== undefined) opened.set(pair.name, (opened.get(pair.name) ?? 0) + 1);
      }
      if (proxy.mode !== 'blackhole' && !pair.isSilent) upstream.write(request);
    });
    // One queue keeps the order of replies, even if the delay changes.
    const queue: Array<{ reply: Buffer; dueMs: number }> = [];
    const pump = () => {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        const waitMs = next.dueMs - performance.now();
        if (waitMs > 0) return void setTimeout(pump, waitMs);
        client.write(next.reply);
        queue.shift();
      }
    };
    upstream.on('data', (reply) => {
      if (proxy.mode === 'swallow') swallowedBytes += reply.length;
      if (proxy.mode === 'swallow' || proxy.mode === 'blackhole' || pair.isSilent) return;
      queue.push({ reply, dueMs: performance.now() + (proxy.mode === 'delay' ? proxy.delayMs : 0) });
      if (queue.length === 1) pump();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    mode: 'pass',
    delayMs: 0,
    get swallowedBytes() {
      return swallowedBytes;
    },
    silence(purposes) {
      const chosen = [...pairs].filter(({ name, isSilent }) => {
        return !isSilent && purposes.includes(name?.split(':').at(-1) ?? '');
      });
      for (const pair of chosen) pair.isSilent = true;
      return chosen.length;
    },
    opened: () => opened,
    reset() {
      for (const { sockets } of pairs) for (const socket of sockets) resetSocket(socket);
      pairs.clear();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      proxy.reset();
      await closed;
    },
  };
  return proxy;
}

/**
 * Resets the socket. A socket that is being shut down is destroyed instead: after a reset of such a
 * socket, Node 24.21 loses the handle, and the process does not end.
 */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
