/**
 * One connection, from its opening to its end. It is never reused. It translates the events of the
 * wire, and ends if the server is silent. `connection.ts` decides whether and when to reconnect.
 */
import type { MaruError } from '@maru/protocol/errors';
import type { ClientEventName, ClientRequests, Position, ServerEvents } from '@maru/protocol/events';
import { openWire as openPlatformWire } from '#wire';
import { type Result, unavailable } from './ack.ts';
import type { ClientLimits } from './limits.ts';
import { Link } from './link.ts';
import { type PingWatch, watchPings } from './ping-watch.ts';
import { refusalOf } from './refusal.ts';
import type { Scheduler } from './scheduler.ts';
import { Silence } from './silence.ts';
import type { Transport } from './transport-choice.ts';
import { SERVER_DISCONNECT, type Wire, type WireOptions } from './wire/wire.ts';

export interface HandshakeAuth {
  token: string;
  resume: Record<string, Position>;
  /** This client retries by itself, so temporary refusals may come as `connect_error`. */
  retries: true;
  program?: string;
}

export type SocketEnd =
  /** The handshake was refused because the token is not valid. */
  | { kind: 'unauthenticated'; detail: string }
  /** The server sent DISCONNECT: stay away. */
  | { kind: 'dismissed' }
  /**
   * No answer for too long. `hung`: no data has passed this transport since the session started.
   */
  | { kind: 'silent'; transport: Transport; hung: boolean }
  /** Anything else: the network, the node, or a temporary refusal. */
  | { kind: 'lost'; detail: string; error?: MaruError | undefined };

export interface SocketConnectionOptions {
  url: string;
  path: string;
  transports: Transport[];
  /** Timeout without a byte before the session. */
  connectTimeoutMs: number;
  limits: ClientLimits;
  scheduler: Scheduler;
  /** Called when the transport is open, so that the positions are current. */
  auth: () => HandshakeAuth;
  on: { [K in keyof ServerEvents]: (payload: Parameters<ServerEvents[K]>[0]) => void };
  /** Called at most once, and never after `close`. */
  onEnd: (end: SocketEnd) => void;
  /** Tests replace it. */
  openWire?: (options: WireOptions) => Wire;
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
  /** Checks that the server answers. Without an answer in time, the connection ends as `silent`. */
  probe(timeoutMs: number): void;
  /** Whether anything arrived. */
  hasHeard(): boolean;
  /** Unanswered requests are answered `unavailable`. */
  close(): void;
}

export function openSocketConnection(options: SocketConnectionOptions): SocketConnection {
  const { scheduler, limits, openWire = openPlatformWire } = options;
  let ended = false;
  let hasHeard = false;
  let pings: PingWatch | null = null;
  const end = (how: SocketEnd) => {
    if (ended) return;
    shut();
    options.onEnd(how);
    link.close();
  };
  const shut = () => {
    ended = true;
    handshake.stop();
    pings?.stop();
    wire.close();
  };
  const silent = ({ arrives }: { arrives: boolean }) => {
    const hung = !arrives && !link.hasAnswered;
    end({ kind: 'silent', transport: wire.transport(), hung });
  };
  const receivedBytes = () => wire.receivedBytes();
  const onEvent = (name: string, payload: unknown) => {
    if (ended || !Object.hasOwn(options.on, name)) return;
    // A degraded server starts the session when its store is back. Until then it sends pings.
    if (name === 'session' || name === 'notice') handshake.stop();
    (options.on[name as keyof ServerEvents] as (payload: unknown) => void)(payload);
  };
  const wire: Wire = openWire({
    ...{ url: options.url, path: options.path, transports: options.transports, auth: options.auth, onEvent },
    onPacket: () => {
      hasHeard = true;
      link.heard();
      handshake.heard();
      pings?.heard();
    },
    onPingsDue: (withinMs) => {
      // A probe may not notice in a hidden page, whose timers are late.
      const onMissed = (times: number) => (times > 1 ? silent({ arrives: false }) : link.probe(limits.probeTimeoutMs));
      pings = watchPings({ scheduler, withinMs, onMissed });
    },
    onUpgrade: () => link.forgetAnswers(),
    onPing: () => link.pinged(),
    onRefused: (failure) => {
      const error = refusalOf(failure);
      end(
        error?.code === 'unauthenticated'
          ? { kind: 'unauthenticated', detail: failure.message }
          : { kind: 'lost', detail: failure.message, error },
      );
    },
    onClosed: (reason) => end(reason === SERVER_DISCONNECT ? { kind: 'dismissed' } : { kind: 'lost', detail: reason }),
  });
  const link = new Link({
    send: (name, payload, ack) => wire.emit(name, payload, ack),
    ...{ receivedBytes, scheduler, limits, onSilent: silent },
  });
  const timeouts = { timeoutMs: options.connectTimeoutMs, timeoutMaxMs: Number.POSITIVE_INFINITY };
  const handshake = new Silence({ ...timeouts, scheduler, receivedBytes, onSilent: silent });

  return {
    request(name, payload, done) {
      if (ended || !wire.isConnected()) return done(unavailable('not connected'));
      link.request(name, payload, done);
    },
    sendEphemeral(name, payload) {
      if (!ended && wire.isConnected()) wire.emitVolatile(name, payload);
    },
    probe: (timeoutMs) => link.probe(timeoutMs),
    hasHeard: () => hasHeard,
    close() {
      if (!ended) shut();
      link.close();
    },
  };
}
