/**
 * One Socket.IO connection from its opening to its end; it is never used again. It translates what Socket.IO tells into a
 * few facts and decides nothing: when to come back, and whether at all, is the connection's business.
 */
import type { ClientEventName, ClientRequests, Position, ServerEvents } from '@maru/protocol/events';
import { io, type Socket } from 'socket.io-client';
import { type Result, resultOfAck, unavailable } from './ack.ts';

export type Transport = 'websocket' | 'polling';

export interface LinkAuth {
  token: string;
  resume: Record<string, Position>;
}

export type LinkEnd =
  /** The handshake was refused for want of a valid token. */
  | { kind: 'unauthenticated' }
  /** The server said DISCONNECT: an end to stay away from. */
  | { kind: 'dismissed' }
  /** Anything else: the network, the node, or a passing refusal. */
  | { kind: 'lost'; detail: string };

export interface LinkOptions {
  url: string;
  path: string;
  transports: Transport[];
  connectTimeoutMs: number;
  /** Asked once the transport is there, so that the positions are as fresh as can be. */
  auth: () => LinkAuth;
  on: { [K in keyof ServerEvents]: (payload: Parameters<ServerEvents[K]>[0]) => void };
  /** Called once at most, and never after `close`. */
  onEnd: (end: LinkEnd) => void;
}

export interface Link {
  /** The answer, or `unavailable` when none came in time or the link went first: then the outcome is unknown. */
  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    timeoutMs: number,
    done: (result: Result<ClientRequests[N][1]>) => void,
  ): void;
  /** Sent without asking for an answer, and dropped where the transport is not ready. */
  signal(name: 'typing', payload: ClientRequests['typing'][0]): void;
  close(): void;
}

const SERVER_EVENTS = ['session', 'message', 'typing', 'presence', 'room:event', 'notice'] as const;

export function openLink(options: LinkOptions): Link {
  let over = false;
  const socket: Socket = io(options.url, {
    path: options.path,
    transports: options.transports,
    // A proxy that refuses WebSocket must not keep anyone out.
    tryAllTransports: true,
    // Coming back is decided elsewhere, with jitter, tokens and positions of its own.
    reconnection: false,
    forceNew: true,
    timeout: options.connectTimeoutMs,
    auth: (give) => give(options.auth()),
  });

  const end = (how: LinkEnd) => {
    if (over) return;
    over = true;
    socket.off();
    socket.disconnect();
    options.onEnd(how);
  };

  for (const name of SERVER_EVENTS) {
    socket.on(name, (payload: unknown) => {
      if (!over) (options.on[name] as (payload: unknown) => void)(payload);
    });
  }
  socket.on('connect_error', (error: Error & { data?: { code?: unknown } }) => {
    end(error.data?.code === 'unauthenticated' ? { kind: 'unauthenticated' } : { kind: 'lost', detail: error.message });
  });
  socket.on('disconnect', (reason) => {
    end(reason === 'io server disconnect' ? { kind: 'dismissed' } : { kind: 'lost', detail: reason });
  });

  return {
    request(name, payload, timeoutMs, done) {
      if (over || !socket.connected) return done(unavailable('not connected'));
      socket.timeout(timeoutMs).emit(name, payload, (failure: Error | null, ack: unknown) => {
        done(failure === null ? resultOfAck(ack) : unavailable('no answer'));
      });
    },
    signal(name, payload) {
      if (!over && socket.connected) socket.volatile.emit(name, payload);
    },
    close() {
      if (over) return;
      over = true;
      socket.off();
      socket.disconnect();
    },
  };
}
