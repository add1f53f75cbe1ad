/** Waits for a room to become quiet, and reads its history to the end, page by page. */
import type { Entry } from '@maru/protocol/events';
import type { ChatLink } from './chat-link.ts';
import { pause, type SessionHost } from './chat-session.ts';
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

export interface Reading {
  link: ChatLink;
  host: SessionHost;
  room: string;
  /** Questions that are not answered are asked again until then. */
  untilMs: number;
  onError(code: string): void;
}

/**
 * Everything after `after`, at least to `enough`.
 * @returns undefined when it could not be read in time, or the log began a new epoch on the way
 */
export async function readHistory(
  reading: Reading & { after: number; enough: number },
): Promise<HistoryTail | undefined> {
  const { link, host, room } = reading;
  const messages: Entry[] = [];
  let after = reading.after;
  let epoch: string | undefined;
  for (;;) {
    const answer = await link.request('history:read', { room, after, limit: PAGE_ENTRIES });
    if (!answer.ok) {
      if (answer.error.code !== 'gone') reading.onError(answer.error.code);
      if (!answer.error.retryable || host.now() >= reading.untilMs || !(await link.ready())) return undefined;
      await pause(host, RETRY_MS);
      continue;
    }
    if (epoch !== undefined && answer.data.epoch !== epoch) return undefined;
    epoch = answer.data.epoch;
    messages.push(...answer.data.messages);
    const newest = answer.data.messages.at(-1)?.seq;
    if (!answer.data.hasMore || newest === undefined || newest >= reading.enough)
      return { epoch, first: answer.data.first, messages };
    after = newest;
  }
}

/**
 * Waits until the journal has everything that the history has, and two reads `QUIET_MS` apart see nothing new; or until `untilMs`,
 * when what is missing by then is missing.
 */
export async function settle(reading: Reading & { journal: Journal }): Promise<void> {
  const { link, host, room, journal } = reading;
  let quietAtSeq: number | undefined;
  while (await link.ready()) {
    const { seq } = journal.position();
    const answer = await link.request('history:read', { room, after: seq, limit: 1 });
    if (!answer.ok && answer.error.code !== 'gone') reading.onError(answer.error.code);
    const head = answer.ok ? (answer.data.messages.at(-1)?.seq ?? seq) : undefined;
    const whole = head !== undefined && head <= journal.position().seq && journal.violations(seq).missing === 0;
    if (whole && quietAtSeq === head) return;
    quietAtSeq = whole ? head : undefined;
    const leftMs = reading.untilMs - host.now();
    if (leftMs <= 0) return;
    await pause(host, Math.min(QUIET_MS, leftMs));
  }
}
