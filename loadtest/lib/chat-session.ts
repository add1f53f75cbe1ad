/**
 * One connection of the chat contract: Engine.IO's opening, Socket.IO's connect with a token, the heartbeat, requests with
 * acknowledgements and deadlines, and how it ended. It knows nothing of rooms, and nothing of k6: the host brings socket,
 * timers and clock. It never reconnects; that is `chat-link.ts`'s business.
 */
import type { ErrorBody } from '@maru/protocol/errors';
import type {
  ClientEventName,
  ClientRequests,
  Entry,
  Notice,
  Position,
  RoomEvent,
  SessionData,
} from '@maru/protocol/events';
import { decode, encode, type Packet, socketUrl } from './engine-io.ts';

export interface SocketLike {
  send(frame: string): void;
  close(): void;
}

/**
 * What the runtime lends. `connect` calls back later, never within the call; `opened` comes before any frame, `closed` at most once and
 * last. Frames from before `opened` may be lost: k6 2.2 drops one that arrives in the same breath as the answer to the upgrade.
 */
export interface SessionHost {
  connect(
    url: string,
    handlers: {
      opened(): void;
      frame(data: unknown, receivedAtMs: number): void;
      closed(detail: string): void;
    },
  ): SocketLike;
  setTimeout(callback: () => void, delayMs: number): number;
  clearTimeout(timer: number): void;
  /** Milliseconds of the wall clock, the same one that `receivedAtMs` is read from. */
  now(): number;
}

export const pause = (host: SessionHost, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    host.setTimeout(resolve, Math.max(0, delayMs));
  });

/** A server sends its opening packet at once. So long after the socket opened, it was sent and lost on this side, and needs no answer. */
const OPENING_PATIENCE_MS = 1_000;

/** Why a session ended. Only `left` was asked for by this side. */
export type Ending =
  | { kind: 'left' }
  | { kind: 'refused'; message: string; data: unknown }
  | { kind: 'disconnected' }
  | { kind: 'transport_closed'; detail: string }
  | { kind: 'heartbeat_missed' }
  | { kind: 'open_timeout' }
  | { kind: 'protocol_error'; detail: string };

/** A request's answer; `timeout` and `gone` are this side's own: what became of the request is unknown. */
export type Answer<T> =
  | { ok: true; data: T; tookMs: number }
  | { ok: false; error: ErrorBody | { code: 'timeout' | 'gone'; retryable: true } };

export interface ChatSession {
  readonly data: SessionData;
  /**
   * Sends and awaits the acknowledgement. `onAnswer` is called as the frame is read, before any later frame is: who must not take
   * what follows for something else (a join and its first entries) hears of it there, since a promise may resolve too late.
   */
  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    onAnswer?: (answer: Answer<ClientRequests[N][1]>) => void,
  ): Promise<Answer<ClientRequests[N][1]>>;
  /** Leaves at once. Open requests answer `gone`. */
  close(): void;
  readonly ending: Ending | undefined;
}

export interface ChatSessionOptions {
  /** The cluster's public address. */
  url: string;
  token: string;
  resume?: Record<string, Position>;
  host: SessionHost;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  /** Called as the frame is read: the entries that a resume brings may follow before the promise resolves. */
  onSession?(data: SessionData): void;
  onEntry(entry: Entry, receivedAtMs: number): void;
  onRoomEvent?(event: RoomEvent): void;
  onNotice?(notice: Notice): void;
  /** Called once, for an end after the session was open. */
  onEnded(ending: Ending): void;
}

/** An opening that failed, with how it ended. */
export class OpenFailed extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(`no session: ${describeEnding(ending)}`);
    this.name = 'OpenFailed';
    this.ending = ending;
  }
}

/** One line for a log; never a token or a text. */
export function describeEnding(ending: Ending): string {
  if (ending.kind === 'refused') return `refused (${ending.message})`;
  return 'detail' in ending ? `${ending.kind} (${ending.detail})` : ending.kind;
}

/**
 * Opens a session and resolves once the server's `session` event has come, which is before any entry.
 * @throws {OpenFailed} when it was refused, ended, or did not open within `openTimeoutMs`
 */
export function openChatSession(options: ChatSessionOptions): Promise<ChatSession> {
  const { host } = options;
  const pending = new Map<number, (answer: Answer<unknown>) => void>();
  let nextAckId = 0;
  let state: 'opening' | 'open' | 'ended' = 'opening';
  let ending: Ending | undefined;
  let heartbeat: { periodMs: number; timer: number } | undefined;

  return new Promise((resolve, reject) => {
    let greetingTimer: number | undefined;
    let greeted = false;
    const openTimer = host.setTimeout(() => end({ kind: 'open_timeout' }), options.openTimeoutMs);

    function end(how: Ending): void {
      if (state === 'ended') return;
      const wasOpen = state === 'open';
      state = 'ended';
      ending = how;
      host.clearTimeout(openTimer);
      if (greetingTimer !== undefined) host.clearTimeout(greetingTimer);
      if (heartbeat !== undefined) host.clearTimeout(heartbeat.timer);
      socket.close();
      for (const answer of [...pending.values()]) answer({ ok: false, error: { code: 'gone', retryable: true } });
      if (wasOpen) options.onEnded(how);
      else reject(new OpenFailed(how));
    }

    /** Sends Socket.IO's connect, once. */
    function greet(): void {
      if (greeted || state !== 'opening') return;
      greeted = true;
      const { token, resume } = options;
      socket.send(encode.connect(resume === undefined ? { token } : { token, resume }));
    }

    /** Engine.IO: a server that has not pinged for interval and timeout together is gone. */
    function expectHeartbeat(periodMs: number): void {
      if (heartbeat !== undefined) host.clearTimeout(heartbeat.timer);
      heartbeat = { periodMs, timer: host.setTimeout(() => end({ kind: 'heartbeat_missed' }), periodMs) };
    }

    function take(packet: Packet, receivedAtMs: number): void {
      switch (packet.type) {
        case 'open':
          expectHeartbeat(packet.pingIntervalMs + packet.pingTimeoutMs);
          greet();
          return;
        case 'ping':
          socket.send(encode.pong());
          if (heartbeat !== undefined) expectHeartbeat(heartbeat.periodMs);
          return;
        case 'event':
          takeEvent(packet.name, packet.args[0], receivedAtMs);
          return;
        case 'ack':
          pending.get(packet.id)?.(asAnswer(packet.args[0]));
          return;
        case 'refused':
          end({ kind: 'refused', message: packet.message, data: packet.data });
          return;
        case 'disconnected':
          end({ kind: 'disconnected' });
          return;
        case 'close':
          end({ kind: 'transport_closed', detail: 'close packet' });
          return;
        case 'connected':
        case 'noop':
          return;
      }
    }

    function takeEvent(name: string, payload: unknown, receivedAtMs: number): void {
      if (name === 'session') {
        if (state !== 'opening') {
          end({ kind: 'protocol_error', detail: 'a second session event' });
          return;
        }
        state = 'open';
        host.clearTimeout(openTimer);
        options.onSession?.(payload as SessionData);
        resolve({
          data: payload as SessionData,
          request,
          close: () => end({ kind: 'left' }),
          get ending() {
            return ending;
          },
        });
      } else if (name === 'message') options.onEntry(payload as Entry, receivedAtMs);
      else if (name === 'room:event') options.onRoomEvent?.(payload as RoomEvent);
      else if (name === 'notice') options.onNotice?.(payload as Notice);
    }

    function request<N extends ClientEventName>(
      name: N,
      payload: ClientRequests[N][0],
      onAnswer?: (answer: Answer<ClientRequests[N][1]>) => void,
    ): Promise<Answer<ClientRequests[N][1]>> {
      return new Promise((resolveAnswer) => {
        const settle = (answer: Answer<ClientRequests[N][1]>) => {
          onAnswer?.(answer);
          resolveAnswer(answer);
        };
        if (state !== 'open') return settle({ ok: false, error: { code: 'gone', retryable: true } });
        const id = nextAckId++;
        const sentAtMs = host.now();
        const answer = (given: Answer<unknown>) => {
          pending.delete(id);
          host.clearTimeout(timer);
          settle(
            given.ok ? { ok: true, data: given.data as ClientRequests[N][1], tookMs: host.now() - sentAtMs } : given,
          );
        };
        const timer = host.setTimeout(
          () => answer({ ok: false, error: { code: 'timeout', retryable: true } }),
          options.ackTimeoutMs,
        );
        pending.set(id, answer);
        socket.send(encode.event(name, payload, id));
      });
    }

    const socket = host.connect(socketUrl(options.url), {
      opened() {
        if (state === 'opening') greetingTimer = host.setTimeout(greet, OPENING_PATIENCE_MS);
      },
      frame(data, receivedAtMs) {
        if (state === 'ended') return;
        try {
          if (typeof data !== 'string') return end({ kind: 'protocol_error', detail: 'a binary frame' });
          take(decode(data), receivedAtMs);
        } catch (error) {
          end({ kind: 'protocol_error', detail: error instanceof Error ? error.message : String(error) });
        }
      },
      closed: (detail) => end({ kind: 'transport_closed', detail }),
    });
  });
}

function asAnswer(value: unknown): Answer<unknown> {
  const ack = value as { ok?: unknown; data?: unknown; error?: unknown } | null | undefined;
  if (ack?.ok === true) return { ok: true, data: ack.data, tookMs: 0 };
  const error = ack?.error as ErrorBody | undefined;
  if (ack?.ok === false && typeof error?.code === 'string') return { ok: false, error };
  return {
    ok: false,
    error: { code: 'internal', message: 'an acknowledgement of another shape', retryable: true },
  };
}
