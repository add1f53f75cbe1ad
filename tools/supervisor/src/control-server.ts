/**
 * The server for `npm run cluster`: HTTP on the loopback interface, with a token that only the
 * owner can read.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeFailure } from '../../bootstrap/failure.mjs';
import type { TokenRequest } from './tokens.ts';

/** The operations. They call `say` with progress lines for the user. Errors MUST be Failures. */
export interface ControlHandlers {
  status(): unknown;
  token(request: TokenRequest): Promise<string>;
  add(say: (line: string) => void): Promise<void>;
  drain(name: string, say: (line: string) => void): Promise<void>;
  kill(name: string, say: (line: string) => void): Promise<void>;
  restart(name: string, say: (line: string) => void): Promise<void>;
  newEpochs(say: (line: string) => void): Promise<void>;
}

export interface ControlServer {
  url: string;
  token: string;
  close(): void;
}

const OPERATION = /^\/(add|new-epochs|drain|kill|restart)(?:\/([a-z][a-z0-9-]{0,31}))?$/;
/** The operations that take no process name. */
const NAMELESS = new Set(['add', 'new-epochs']);

/**
 * The response of an operation is a stream of JSON lines: `{"line"}` any number of times, then
 * `{"done": true}` or `{"error"}`.
 */
function streamOperation(response: ServerResponse, work: (say: (line: string) => void) => Promise<void>): void {
  const send = (message: object) => {
    if (!response.writableEnded) response.write(`${JSON.stringify(message)}\n`);
  };
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  work((line) => send({ line })).then(
    () => {
      send({ done: true });
      response.end();
    },
    (error: unknown) => {
      send({ error: describeFailure(error).text });
      response.end();
    },
  );
}

export async function startControlServer(handlers: ControlHandlers): Promise<ControlServer> {
  const token = randomBytes(32).toString('base64url');
  const expected = Buffer.from(`Bearer ${token}`);
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => {});
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      response.writeHead(401).end();
      return;
    }
    const path = request.url ?? '';
    if (request.method === 'GET' && path === '/status') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(handlers.status()));
      return;
    }
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    if (request.method === 'POST' && pathname === '/token') {
      const [sub, name] = [searchParams.get('sub') ?? '', searchParams.get('name') ?? ''];
      const asked = { sub, name, role: searchParams.get('role') };
      streamOperation(response, async (say) => say(await handlers.token(asked)));
      return;
    }
    const [, operation, name] = OPERATION.exec(path) ?? [];
    if (request.method !== 'POST' || operation === undefined || NAMELESS.has(operation) !== (name === undefined)) {
      response.writeHead(404).end();
      return;
    }
    streamOperation(response, (say) => {
      if (operation === 'add') return handlers.add(say);
      if (operation === 'new-epochs') return handlers.newEpochs(say);
      if (operation === 'drain') return handlers.drain(name ?? '', say);
      if (operation === 'kill') return handlers.kill(name ?? '', say);
      return handlers.restart(name ?? '', say);
    });
  });
  // A drain may take almost a minute.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
