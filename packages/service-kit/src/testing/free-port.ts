/** Free ports for test servers. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * Below the range of ports for outgoing connections (Linux: from 32768), so the port stays free
 * until the test starts or restarts its server.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const ATTEMPTS_MAX = 500;

/**
 * Returns a port that is free on every interface. No other call returns it while this process runs,
 * even if its server is down. An unrelated program may still take it, so callers that can retry
 * with another port should do so.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    // Random, so that parallel test files try different ports.
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if ((await claim(port)) && (await canBind(port))) return port;
  }
  throw new Error(`no free port among ${ATTEMPTS_MAX} from ${FIRST_PORT} to ${LAST_PORT}`);
}

/**
 * Binds the UDP port with the same number, which our servers do not use. This reserves the port for
 * all test processes until this one ends.
 */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const sign = createSocket('udp4').unref();
    sign.once('error', () => {
      sign.close();
      resolve(false);
    });
    sign.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    // Without a host, this checks every interface.
    probe.listen({ port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
