/**
 * One Socket.IO connection, from its opening to its end. It is never reused. It translates
 * Socket.IO's events, and ends if the server is silent. `connection.ts` decides whether and when to
 * reconnect.
 */
import type { MaruError } from '@maru/protocol/errors';
import type { ClientEventName, ClientRequests, Position, ServerEvents } from '@maru/protocol/events';
import { io, type Socket } from 'socket.io-client';
import { type Result, unavailable } from './ack.ts';
import type { ClientLimits } from './limits.ts';
import { Link } from './link.ts';
import { type ConnectFailure, refusalOf } from './refusal.ts';
import type { Scheduler } from './scheduler.ts';
import { Silence } from './silence.ts';
import type { Transport } from './transport-choice.ts';

export interface HandshakeAuth {
  token: string;
  resume: Record<string, Position>;
  /** This client tries again by itself, so temporary refusals may come as `connect_error`. */
  retries: true;
}

export type SocketEnd =
  /** The handshake was refused because the token is not valid. */
  | { kind: 'unauthenticated'; detail: string }
  /** The server sent DISCONNECT: stay away. */
  | { kind: 'dismissed' }
  /** No answer for too long. `hung`: nothing has passed this transport since the session. */
  | { kind: 'silent'; transport: Transport; hung: boolean }
  /** Anything else: the network, the node, or a temporary refusal. */
  | { kind: 'lost'; detail: string; error?: MaruError | undefined };

export interface SocketConnectionOptions {
  url: string;
  path: string;
  transports: Transport[];
  /** Time without a byte before the session. */
  connectTimeoutMs: number;
  limits: ClientLimits;
  scheduler: Scheduler;
  /** Called when the transport is open, so that the positions are up to date. */
  auth: () => HandshakeAuth;
  on: { [K in keyof ServerEvents]: (payload: Parameters<ServerEvents[K]>[0]) => void };
  /** Called at most once, and never after `close`. */
  onEnd: (end: SocketEnd) => void;
}

export interface SocketConnection {
  /** `unavailable` if the connection ends before the answer. Then the outcome is unknown. */
  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    done: (result: Result<ClientRequests[N][1]>) => void,
  ): void;
  /** Sends an event without an answer. Drops it if the transport is not ready. */
  sendEphemeral(name: 'typing', payload: ClientRequests['typing'][0]): void;
  /** Checks that the server answers. Without an answer in time the connection ends as `silent`. */
  probe(timeoutMs: number): void;
  /** Unanswered requests are answered `unavailable`. */
  close(): void;
}

const SERVER_EVENTS = ['session', 'message', 'typing', 'presence', 'room:event', 'receipt', 'inbox', 'notice'] as const;

/** What this module uses of Engine.IO beyond its types. */
interface EngineInternals {
  _hasPingExpired: () => boolean;
  transport: { name: string; ws?: { _socket?: { bytesRead?: unknown } } };
}

export function openSocketConnection(options: SocketConnectionOptions): SocketConnection {
  const { scheduler, limits } = options;
  let ended = false;
  const socket: Socket = io(options.url, {
    path: options.path,
    transports: options.transports,
    // A proxy may refuse WebSocket. Then polling still works.
    tryAllTransports: true,
    // `connection.ts` reconnects, with its own jitter, tokens and positions.
    reconnection: false,
    forceNew: true,
    autoConnect: false,
    auth: (give) => give(options.auth()),
  });
  // The deadline below includes the session.
  socket.io.timeout(false);
  socket.connect();
  const engine = socket.io.engine as typeof socket.io.engine & EngineInternals;
  // Engine.IO compares the wall clock here, and would end a healthy connection whenever the clock
  // is set ahead. The link notices dead connections.
  engine._hasPingExpired = () => false;

  const end = (how: SocketEnd) => {
    if (ended) return;
    shut();
    options.onEnd(how);
    link.close();
  };
  const shut = () => {
    ended = true;
    handshake.stop();
    socket.off();
    socket.disconnect();
  };
  const silent = ({ arrives }: { arrives: boolean }) => {
    const hung = !arrives && !link.hasAnswered;
    end({ kind: 'silent', transport: engine.transport.name as Transport, hung });
  };
  const receivedBytes = () => bytesOf(engine);
  const link = new Link({
    send: (name, payload, ack) => void socket.emit(name, payload, ack),
    ...{ receivedBytes, scheduler, limits, onSilent: silent },
  });
  const timeouts = { timeoutMs: options.connectTimeoutMs, timeoutMaxMs: Number.POSITIVE_INFINITY };
  const handshake = new Silence({ ...timeouts, scheduler, receivedBytes, onSilent: silent });

  engine.on('packet', () => {
    link.heard();
    handshake.heard();
  });
  engine.on('upgrade', () => link.forgetAnswers());
  engine.on('ping', () => link.pinged());
  for (const name of SERVER_EVENTS) {
    socket.on(name, (payload: unknown) => {
      // A degraded server begins the session when its store is back. Until then it sends pings.
      if (name === 'session' || name === 'notice') handshake.stop();
      if (!ended) (options.on[name] as (payload: unknown) => void)(payload);
    });
  }
  socket.on('connect_error', (failure: ConnectFailure) => {
    const error = refusalOf(failure);
    end(
      error?.code === 'unauthenticated'
        ? { kind: 'unauthenticated', detail: failure.message }
        : { kind: 'lost', detail: failure.message, error },
    );
  });
  socket.on('disconnect', (reason) => {
    end(reason === 'io server disconnect' ? { kind: 'dismissed' } : { kind: 'lost', detail: reason });
  });

  return {
    request(name, payload, done) {
      if (ended || !socket.connected) return done(unavailable('not connected'));
      link.request(name, payload, done);
    },
    sendEphemeral(name, payload) {
      if (!ended && socket.connected) socket.volatile.emit(name, payload);
    },
    probe: (timeoutMs) => link.probe(timeoutMs),
    close() {
      if (!ended) shut();
      link.close();
    },
  };
}

/** In browsers a frame arrives whole, and only the `ws` package of Node.js shows its parts. */
function bytesOf({ transport }: EngineInternals): number | null {
  const bytes = transport.ws?._socket?.bytesRead;
  return typeof bytes === 'number' ? bytes : null;
}
