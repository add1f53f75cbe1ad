/**
 * Refuses handshakes before a transport opens: foreign origins, on both transports, and new
 * handshakes while the node drains or has no room for more. It also frees the first request of each
 * connection.
 */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { MaruError, problemOf } from '@maru/protocol';
import type { NodeLimit } from '../limits/node-limits.ts';
import { isOriginAllowed } from './origin.ts';

export type HandshakeRefusal = 'origin' | 'draining' | NodeLimit;

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

const PROBLEM_TYPE = 'application/problem+json';
const PROBLEMS = {
  origin: new MaruError('forbidden', 'this origin is not listed, and its host is not the Host that arrives here'),
  draining: new MaruError('unavailable', 'this node is leaving'),
  // The balancer tries another node after 503.
  node_connections: new MaruError('unavailable', 'this node has no room for more connections', { retryAfterMs: 1_000 }),
  node_memory: new MaruError('unavailable', 'this node has no memory for more connections', { retryAfterMs: 1_000 }),
} as const;

/** A client that does not read the answer to a refused upgrade is dropped after this time. */
const REFUSAL_WAIT_MS = 5_000;

export function guardHandshakes(
  engine: unknown,
  options: {
    allowedOrigins: ReadonlySet<string>;
    /** The limit that a new handshake would exceed. */
    limitReached: () => NodeLimit | undefined;
    onRefused: (reason: HandshakeRefusal) => void;
  },
): HandshakeGuard {
  const guarded = engine as GuardedEngine;
  const { allowedOrigins, limitReached, onRefused } = options;
  const responses = new WeakMap<IncomingMessage, UpgradeResponse>();
  let refusing = false;

  guarded.use((request, response, next) => {
    if (!isOriginAllowed(request.headers.origin, request.headers.host, allowedOrigins)) {
      onRefused('origin');
      return refuse(response, PROBLEMS.origin);
    }
    // Engine.IO treats an empty `sid` as a missing one.
    const reason = request._query.sid ? undefined : refusing ? 'draining' : limitReached();
    if (reason !== undefined) {
      onRefused(reason);
      return refuse(response, PROBLEMS[reason]);
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
function refuse(response: ServerResponse | UpgradeResponse, error: MaruError): void {
  const problem = problemOf(error);
  const status = Number(problem.status);
  const body = JSON.stringify(problem);
  if (response instanceof ServerResponse)
    response.writeHead(status, { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' }).end(body);
  else refuseUpgrade(response.socket, status, body);
}

/**
 * Answers an upgrade and destroys its socket. Node.js has released the socket by then. Without a
 * listener, its errors would end the process. Without a reader, its end would not be noticed.
 */
export function refuseUpgrade(socket: Duplex, status: number, body = ''): void {
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroy());
  // If the client does not read an earlier answer, this one would wait forever.
  const timer = setTimeout(() => socket.destroy(), REFUSAL_WAIT_MS);
  socket.once('close', () => clearTimeout(timer));
  const type = body === '' ? '' : `Content-Type: ${PROBLEM_TYPE}\r\nX-Content-Type-Options: nosniff\r\n`;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${type}`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
