/** A TCP proxy that can lose what a real network loses: replies swallowed, whole connections gone silent, delays, resets. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * `pass`: as if it were not there. `swallow`: requests arrive and replies are lost. `blackhole`: neither arrives, and nobody is told.
 * `delay`: replies come `delayMs` later. New connections behave as the present ones.
 */
export type ProxyMode = 'pass' | 'swallow' | 'blackhole' | 'delay';

export interface TcpProxy {
  port: number;
  mode: ProxyMode;
  delayMs: number;
  /** Bytes of replies that were swallowed. */
  readonly swallowedBytes: number;
  /** Resets every connection, as a firewall that forgot them. */
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
    // One line for all replies, so that they keep their order whatever the delay was when each came.
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

/** As a reset where that can be: of a socket that is being shut down, Node loses the handle, and with it the end of its own process (24.21, tried). */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
