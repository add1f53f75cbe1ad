/** Waits for a room to become quiet, and reads its history to the end, page by page. */
import type { Entry } from '@maru/protocol/events';
import { type ChatSession, pause, type SessionHost } from './chat-session.ts';
import type { Journal } from './journal.ts';

const PAGE_ENTRIES = 200;
/** Two reads so far apart must agree before a room counts as quiet. */
const QUIET_MS = 1_000;
const RETRY_MS = 500;

export interface HistoryTail {
  epoch: string;
  first: number;
  messages: Entry[];
}

/**
 * Everything after `after`. A page that is not answered is asked for again until `untilMs`.
 * @returns undefined when it could not be read in time, or the log began a new epoch on the way
 */
export async function readHistory(options: {
  session: ChatSession;
  host: SessionHost;
  room: string;
  after: number;
  untilMs: number;
  onError(code: string): void;
}): Promise<HistoryTail | undefined> {
  const { session, host, room } = options;
  const messages: Entry[] = [];
  let after = options.after;
  let epoch: string | undefined;
  for (;;) {
    const answer = await session.request('history:read', { room, after, limit: PAGE_ENTRIES });
    if (!answer.ok) {
      options.onError(answer.error.code);
      if (!answer.error.retryable || answer.error.code === 'gone' || host.now() >= options.untilMs) return undefined;
      await pause(host, RETRY_MS);
      continue;
    }
    if (epoch !== undefined && answer.data.epoch !== epoch) return undefined;
    epoch = answer.data.epoch;
    messages.push(...answer.data.messages);
    const newest = answer.data.messages.at(-1)?.seq;
    if (!answer.data.hasMore || newest === undefined) return { epoch, first: answer.data.first, messages };
    after = newest;
  }
}

/**
 * Waits until the journal has everything that the history has, and two reads `QUIET_MS` apart see nothing new; or until `untilMs`,
 * when what is missing by then is missing.
 */
export async function settle(options: {
  session: ChatSession;
  host: SessionHost;
  room: string;
  journal: Journal;
  untilMs: number;
  onError(code: string): void;
}): Promise<void> {
  const { session, host, room, journal } = options;
  let quietAtSeq: number | undefined;
  while (session.ending === undefined) {
    const { seq } = journal.position();
    const answer = await session.request('history:read', { room, after: seq, limit: 1 });
    if (!answer.ok) options.onError(answer.error.code);
    const head = answer.ok ? (answer.data.messages.at(-1)?.seq ?? seq) : undefined;
    const whole = head !== undefined && head <= journal.position().seq && journal.violations(seq).missing === 0;
    if (whole && quietAtSeq === head) return;
    quietAtSeq = whole ? head : undefined;
    const leftMs = options.untilMs - host.now();
    if (leftMs <= 0) return;
    await pause(host, Math.min(QUIET_MS, leftMs));
  }
}
