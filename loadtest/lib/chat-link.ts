/**
 * Keeps one client connected, as a good client does: it comes back by itself with its positions, after a pause that grows and is random,
 * leaves a node when a notice asks for it, and gives up only where it was refused. It knows no rooms, and judges nothing.
 */
import type { ClientEventName, ClientRequests, Entry, Position, RoomEvent, SessionData } from '@maru/protocol/events';
import {
  type Answer,
  type ChatSession,
  type Ending,
  OpenFailed,
  openChatSession,
  pause,
  type SessionHost,
} from './chat-session.ts';

export interface ChatLink {
  /** Counts the connections that were opened, from 1; 0 before the first. */
  readonly connection: number;
  readonly open: boolean;
  /** Waits for an open connection. @returns false when there will be none: refused, closed, or `untilMs` has passed */
  ready(): Promise<boolean>;
  /** Waits for a connection and asks on it. Answers `gone` when it ends on the way, or when there will be none. */
  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    onAnswer?: (answer: Answer<ClientRequests[N][1]>) => void,
  ): Promise<Answer<ClientRequests[N][1]>>;
  /** Drops the connection without a word, and comes back after `awayMs`. Does nothing while there is none. */
  drop(awayMs: number): void;
  close(): void;
}

export interface ChatLinkOptions {
  url: string;
  token: string;
  host: SessionHost;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  /** Nobody dials after this moment. */
  untilMs: number;
  /** From where to resume, as known when it dials. */
  positions(): Record<string, Position>;
  /** Every session, before any of its entries. `dialledAtMs` is when its dialling began. */
  onSession(data: SessionData, dialledAtMs: number): void;
  onEntry(entry: Entry, receivedAtMs: number): void;
  onRoomEvent(event: RoomEvent): void;
  /** An end, or an opening that failed, that this side had not asked for. */
  onFailure(ending: Ending): void;
}

const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_MS_MAX = 5_000;

const GONE = { ok: false, error: { code: 'gone', retryable: true } } as const;

/** Begins to dial at once. */
export function openChatLink(options: ChatLinkOptions): ChatLink {
  const { host } = options;
  let session: ChatSession | undefined;
  let connection = 0;
  let failures = 0;
  let state: 'alive' | 'given_up' | 'closed' = 'alive';
  let awayMs: number | undefined;
  let leaveTimer: number | undefined;
  let waiting: Array<(ready: boolean) => void> = [];

  function tell(ready: boolean): void {
    const told = waiting;
    waiting = [];
    for (const resolve of told) resolve(ready);
  }

  function giveUp(): void {
    if (state === 'alive') state = 'given_up';
    tell(false);
  }

  function stopLeaving(): void {
    if (leaveTimer !== undefined) host.clearTimeout(leaveTimer);
    leaveTimer = undefined;
  }

  async function dial(): Promise<void> {
    const dialledAtMs = host.now();
    const positions = options.positions();
    try {
      const opened = await openChatSession({
        ...options,
        ...(Object.keys(positions).length > 0 && { resume: positions }),
        onSession: (data) => {
          connection++;
          options.onSession(data, dialledAtMs);
        },
        onNotice({ reconnectInMs }) {
          if (reconnectInMs === undefined || leaveTimer !== undefined) return;
          leaveTimer = host.setTimeout(() => drop(0), reconnectInMs);
        },
        onEnded: (ending) => ended(ending),
      });
      // It may have ended between its session event and here.
      if (opened.ending !== undefined) return;
      if (state === 'closed') {
        opened.close();
        return;
      }
      failures = 0;
      session = opened;
      tell(true);
    } catch (error) {
      if (!(error instanceof OpenFailed)) throw error;
      ended(error.ending);
    }
  }

  function ended(ending: Ending): void {
    session = undefined;
    stopLeaving();
    if (state !== 'alive') return;
    if (ending.kind !== 'left') {
      options.onFailure(ending);
      failures++;
    }
    const final = ending.kind === 'refused' || ending.kind === 'disconnected';
    const backOffMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_FIRST_MS * 2 ** (failures - 1));
    const delayMs = ending.kind === 'left' ? (awayMs ?? 0) : backOffMs * (0.5 + Math.random() / 2);
    awayMs = undefined;
    if (final || host.now() + delayMs >= options.untilMs) giveUp();
    else void redialAfter(delayMs);
  }

  async function redialAfter(delayMs: number): Promise<void> {
    await pause(host, delayMs);
    if (state === 'alive') await dial();
  }

  function drop(newAwayMs: number): void {
    if (session === undefined || state !== 'alive') return;
    awayMs = newAwayMs;
    session.close();
  }

  function ready(): Promise<boolean> {
    if (session !== undefined) return Promise.resolve(true);
    if (state !== 'alive') return Promise.resolve(false);
    return new Promise((resolve) => {
      waiting.push(resolve);
    });
  }

  void dial();

  return {
    get connection() {
      return connection;
    },
    get open() {
      return session !== undefined;
    },
    ready,
    async request(name, payload, onAnswer) {
      if (await ready()) {
        const asked = session;
        if (asked !== undefined) return asked.request(name, payload, onAnswer);
      }
      return GONE;
    },
    drop,
    close() {
      state = 'closed';
      stopLeaving();
      session?.close();
      session = undefined;
      tell(false);
    },
  };
}
