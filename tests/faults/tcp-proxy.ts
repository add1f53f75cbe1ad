/**
 * A TCP proxy with the faults of a real network: lost replies, silent connections, delays, resets.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * `pass`: forwards everything. `swallow`: forwards requests and drops replies. `blackhole`: drops
 * both without an error. `delay`: replies come `delayMs` later. New connections behave like
 * existing ones.
 */
export type ProxyMode = 'pass' | 'swallow' | 'blackhole' | 'delay';

export interface TcpProxy {
  port: number;
  mode: ProxyMode;
  delayMs: number;
  /** Dropped bytes of replies. */
  readonly swallowedBytes: number;
  /** Resets every connection, as a firewall that lost its state does. */
  reset(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let swallowedBytes = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...target, noDelay: true });
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.on('data', (request) => {
      if (proxy.mode !== 'blackhole') upstream.write(request);
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
      if (proxy.mode === 'swallow' || proxy.mode === 'blackhole') return;
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
    reset() {
      for (const [client, upstream] of pairs) {
        resetSocket(client);
        resetSocket(upstream);
      }
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
 * Resets the socket. If it is being shut down, it is destroyed: after a reset of such a socket,
 * Node 24.21 loses the handle and its process does not end.
 */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
