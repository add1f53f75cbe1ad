/** Ports for servers of tests. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take ports for outgoing connections (Linux: from 32768), so that a port stays free while a test
 * starts its server, and while it starts it again.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const ATTEMPTS_MAX = 500;

/**
 * A port that is free now on every interface, and that nobody else is given for as long as this process lives: also not while its server
 * is down, to be started again. A stranger may still take it: whoever can try another should.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    // By chance, so that test files that run at once do not look at the same ports.
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if ((await claim(port)) && (await canBind(port))) return port;
  }
  throw new Error(`no free port among ${ATTEMPTS_MAX} from ${FIRST_PORT} to ${LAST_PORT}`);
}

/** The UDP port of the same number, which no server of ours needs, says to all processes that this one has it, and to nobody once it has ended. */
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
    // Without a host it is every interface: a server on any one of them is in the way.
    probe.listen({ port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
