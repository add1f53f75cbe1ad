/**
 * One Socket.IO connection, from its opening to its end. It is never reused. It translates
 * Socket.IO's events and decides nothing: `connection.ts` decides whether and when to reconnect.
 */
import type { MaruError } from '@maru/protocol/errors';
import type { ClientEventName, ClientRequests, Position, ServerEvents } from '@maru/protocol/events';
import { io, type Socket } from 'socket.io-client';
import { type Result, resultOfAck, unavailable } from './ack.ts';
import { type ConnectFailure, refusalOf } from './refusal.ts';

export type Transport = 'websocket' | 'polling';

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
  /** Anything else: the network, the node, or a temporary refusal. */
  | { kind: 'lost'; detail: string; error?: MaruError | undefined };

export interface SocketConnectionOptions {
  url: string;
  path: string;
  transports: Transport[];
  connectTimeoutMs: number;
  /** Called when the transport is open, so that the positions are up to date. */
  auth: () => HandshakeAuth;
  on: { [K in keyof ServerEvents]: (payload: Parameters<ServerEvents[K]>[0]) => void };
  /** Called at most once, and never after `close`. */
  onEnd: (end: SocketEnd) => void;
}

export interface SocketConnection {
  /**
   * `unavailable` if no answer comes in time or the connection ends before. Then the outcome is
   * unknown.
   */
  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    timeoutMs: number,
    done: (result: Result<ClientRequests[N][1]>) => void,
  ): void;
  /** Sends an event without an answer. Drops it if the transport is not ready. */
  sendEphemeral(name: 'typing', payload: ClientRequests['typing'][0]): void;
  close(): void;
}

const SERVER_EVENTS = ['session', 'message', 'typing', 'presence', 'room:event', 'notice'] as const;

export function openSocketConnection(options: SocketConnectionOptions): SocketConnection {
  let ended = false;
  const socket: Socket = io(options.url, {
    path: options.path,
    transports: options.transports,
    // A proxy may refuse WebSocket. Then polling still works.
    tryAllTransports: true,
    // `connection.ts` reconnects, with its own jitter, tokens and positions.
    reconnection: false,
    forceNew: true,
    timeout: options.connectTimeoutMs,
    auth: (give) => give(options.auth()),
  });

  const end = (how: SocketEnd) => {
    if (ended) return;
    ended = true;
    socket.off();
    socket.disconnect();
    options.onEnd(how);
  };

  for (const name of SERVER_EVENTS) {
    socket.on(name, (payload: unknown) => {
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
    request(name, payload, timeoutMs, done) {
      if (ended || !socket.connected) return done(unavailable('not connected'));
      socket.timeout(timeoutMs).emit(name, payload, (failure: Error | null, ack: unknown) => {
        done(failure === null ? resultOfAck(ack) : unavailable('no answer'));
      });
    },
    sendEphemeral(name, payload) {
      if (!ended && socket.connected) socket.volatile.emit(name, payload);
    },
    close() {
      if (ended) return;
      ended = true;
      socket.off();
      socket.disconnect();
    },
  };
}
