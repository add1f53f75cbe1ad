/** A TCP proxy whose connections can fall silent: they stay open, but nothing passes. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface Pair {
  silent: boolean;
  sockets: [Socket, Socket];
}

export interface SilentProxy {
  readonly url: string;
  /** Number of upgrades that clients requested. */
  upgrades(): number;
  /** How to treat connections that request an upgrade. */
  mode: 'pass' | 'hang' | 'swallow';
  /** Delay of data from clients. */
  uplinkDelayMs: number;
  /** All existing connections fall silent. Later ones work. */
  silence(): void;
  /**
   * While true, new connections are silent and stay silent, because their other end has forgotten
   * them.
   */
  isDead: boolean;
  /** Number of connections so far. */
  connections(): number;
  close(): Promise<void>;
}

const isUpgrade = (data: Buffer): boolean => /upgrade: websocket/i.test(data.toString('latin1'));

export async function startSilentProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let upgrades = 0;
  let connections = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    connections++;
    const pair: Pair = { silent: proxy.isDead, sockets: [near, far] };
    pairs.add(pair);
    for (const socket of pair.sockets) {
      socket
        .on('error', () => {})
        .on('close', () => {
          if (!pair.silent) for (const one of pair.sockets) one.destroy();
        });
    }
    near.on('data', (data) => {
      if (isUpgrade(data)) {
        upgrades++;
        if (proxy.mode === 'hang') pair.silent = true;
        if (proxy.mode === 'swallow') {
          far.once('data', (answer: Buffer) => {
            near.write(answer.subarray(0, answer.indexOf('\r\n\r\n') + 4));
            pair.silent = true;
          });
        }
      }
      const { uplinkDelayMs } = proxy;
      if (!pair.silent && uplinkDelayMs > 0) setTimeout(() => far.write(data), uplinkDelayMs);
      else if (!pair.silent) far.write(data);
    });
    far.on('data', (data) => {
      const isSwallowed = proxy.mode === 'swallow' && data.toString('latin1').startsWith('HTTP/1.1 101');
      if (!pair.silent && !isSwallowed) near.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: SilentProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    upgrades: () => upgrades,
    connections: () => connections,
    isDead: false,
    mode: 'pass',
    uplinkDelayMs: 0,
    silence() {
      for (const pair of pairs) pair.silent = true;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { sockets } of pairs) for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return proxy;
}
