/** Who may open a transport, before anybody has said who it is. */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ChatIo } from './connection.ts';
import { isOriginAllowed } from './origin.ts';

/** What is needed of an Engine.IO connection here. */
export interface EngineTransport {
  close(discard: boolean): void;
  on(event: 'close', listener: (this: EngineTransport) => void): void;
}

export type RefusalReason = 'origin' | 'half_open' | 'draining';

export interface HandshakeGuard {
  /** Somebody says who it is. False where that was said before, or the transport has ended. */
  signIn(transport: EngineTransport): boolean;
  /** It may try again. */
  signInFailed(transport: EngineTransport): void;
  /** The transport has a session now. */
  signedIn(transport: EngineTransport): void;
  /** From now on new handshakes are sent elsewhere. */
  refuseAll(): void;
}

type EngineRequest = IncomingMessage & { _query: { sid?: string } };
/** For an upgrade, something of Engine.IO's own that lives as long as the connection. */
type EngineResponse = ServerResponse | { socket: Duplex; req: IncomingMessage | undefined };

/** A refused upgrade that does not take its answer is dropped after so long. */
const REFUSAL_WAIT_MS = 5_000;
/** Transports of this node that are open and have not signed in. */
const HALF_OPEN_MAX = 2_000;

/** Checks origins before anything is opened, on both transports; later requests of a connection are checked too, at no cost. */
export function guardHandshakes(
  io: ChatIo,
  options: { allowedOrigins: ReadonlySet<string>; onRefused: (reason: RefusalReason) => void },
): HandshakeGuard {
  const { allowedOrigins, onRefused } = options;
  /** Oldest first; and whether a token of it is being checked. */
  const halfOpen = new Map<EngineTransport, boolean>();
  function forget(this: EngineTransport): void {
    halfOpen.delete(this);
  }
  const responses = new WeakMap<IncomingMessage, Exclude<EngineResponse, ServerResponse>>();
  let refusing = false;

  io.engine.use((request: EngineRequest, response: EngineResponse, next: () => void) => {
    if (!isOriginAllowed(request.headers.origin, request.headers.host, allowedOrigins)) {
      onRefused('origin');
      return refuse(response, 403, 'this origin is not allowed');
    }
    // Engine.IO takes an empty sid for none.
    if (!request._query.sid && refusing) {
      onRefused('draining');
      return refuse(response, 503, 'this node is leaving');
    }
    if (response instanceof ServerResponse) return next();
    responses.set(request, response);
    next();
    // The upgrade of a connection that is there was answered in this turn; what opens one is released with its connection.
    if (request._query.sid) response.req = undefined;
  });
  io.engine.on('connection', (transport: EngineTransport & { request?: IncomingMessage | undefined }) => {
    // Nobody asks for the first request any more, and it is among the largest things that a connection holds.
    const response = transport.request && responses.get(transport.request);
    if (response !== undefined) response.req = undefined;
    transport.request = undefined;
    halfOpen.set(transport, false);
    transport.on('close', forget);
    // The oldest goes, not the newest: who opens thousands and says nothing keeps nobody else out.
    if (halfOpen.size <= HALF_OPEN_MAX) return;
    const [oldest] = halfOpen.keys();
    if (oldest === undefined) return;
    onRefused('half_open');
    halfOpen.delete(oldest);
    oldest.close(true);
  });

  return {
    signIn(transport) {
      const isFirst = halfOpen.get(transport) === false;
      if (isFirst) halfOpen.set(transport, true);
      return isFirst;
    },
    signInFailed(transport) {
      if (halfOpen.has(transport)) halfOpen.set(transport, false);
    },
    signedIn: (transport) => void halfOpen.delete(transport),
    refuseAll() {
      refusing = true;
    },
  };
}

/** Answers before Engine.IO does, which knows fewer ways to say no. On an upgrade there is only the socket to write to. */
function refuse(response: EngineResponse, status: 403 | 503, reason: string): void {
  if (response instanceof ServerResponse) {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(reason);
    return;
  }
  refuseUpgrade(response.socket, status);
}

/**
 * Answers an upgrade, and is done with its socket. Node.js has let go of it by then: nobody else hears its errors, which would end the process,
 * and nobody reads it, so it would not notice its end.
 */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroy());
  // Behind an answer that it does not read, this one would wait for ever.
  const patience = setTimeout(() => socket.destroy(), REFUSAL_WAIT_MS);
  socket.once('close', () => clearTimeout(patience));
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
