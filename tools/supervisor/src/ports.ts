/** Internal ports of the cluster, which no other program on the machine uses. */
import { createServer } from 'node:net';
import { errorCode } from '../../bootstrap/failure.mjs';

/** Below the range of ports for outgoing connections (Linux: from 32768). */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const ATTEMPTS_MAX = 500;

export interface Ports {
  /** A free port that was not returned before. */
  take(): Promise<number>;
  /**
   * The same port if it is free, else another one. Call it only while no process of ours listens on
   * it.
   */
  keep(port: number): Promise<number>;
}

export type PortProblem = 'taken' | 'forbidden' | 'no such address';

/** Tries to listen. @param host '' means all interfaces. */
export function tryPort(port: number, host: string): Promise<PortProblem | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = errorCode(error);
      if (code === 'EADDRINUSE') resolve('taken');
      else if (code === 'EACCES') resolve('forbidden');
      else if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT' || code === 'ENOTFOUND') resolve('no such address');
      else reject(error);
    });
    server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () => server.close(() => resolve(null)));
  });
}

/** @param random from 0 to 1, so that two clusters that start together try different ports */
export function createPorts(options: { isFree: (port: number) => Promise<boolean>; random: () => number }): Ports {
  const given = new Set<number>();
  const count = LAST_PORT - FIRST_PORT + 1;
  let next = FIRST_PORT + Math.floor(options.random() * count);

  const take = async (): Promise<number> => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const port = next;
      next = next >= LAST_PORT ? FIRST_PORT : next + 1;
      if (given.has(port)) continue;
      given.add(port);
      if (await options.isFree(port)) return port;
      given.delete(port);
    }
    throw new Error(`no free port among ${ATTEMPTS_MAX} from ${FIRST_PORT} to ${LAST_PORT}`);
  };
  return {
    take,
    keep: async (port) => {
      if (await options.isFree(port)) return port;
      given.delete(port);
      return take();
    },
  };
}
