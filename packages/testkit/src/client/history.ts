/**
 * Waits until a room is quiet, reads its history page by page, and compares it with fresh reads.
 */
import type { Entry } from '@maru/protocol/events';
import type { MemberLog } from '../checker/member-log.ts';
import type { Conversation } from './conversation.ts';
import type { ResumingClient } from './resuming-client.ts';
import { pause, type Runtime } from './runtime.ts';

const PAGE_ENTRIES = 200;
/** A room is quiet if two reads this far apart return the same head. */
const QUIET_MS = 1_000;
const RETRY_MS = 500;
/** Number of the newest messages to compare. */
const COMPARED_MESSAGES = 200;

export interface HistoryTail {
  epoch: string;
  first: number;
  messages: Entry[];
}

export interface Reading {
  client: ResumingClient;
  runtime: Runtime;
  room: string;
  /** Failed reads are retried until this time. */
  untilMs: number;
  onError(code: string): void;
}

/**
 * Reads all entries after `after`, at least up to `enough`.
 * @returns undefined if it could not be read in time, or if the epoch changed between two pages
 */
export async function readHistory(
  reading: Reading & { after: number; enough: number },
): Promise<HistoryTail | undefined> {
  const { client, runtime, room } = reading;
  const messages: Entry[] = [];
  let after = reading.after;
  let epoch: string | undefined;
  for (;;) {
    const answer = await client.request('history:read', { room, after, limit: PAGE_ENTRIES });
    if (!answer.ok) {
      if (answer.error.code !== 'gone') reading.onError(answer.error.code);
      if (!answer.error.retryable || runtime.now() >= reading.untilMs || !(await client.ready())) return undefined;
      await pause(runtime, RETRY_MS);
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
 * Waits until the member has everything in the history and the room is quiet, but not longer than
 * `untilMs`. Entries that are missing then count as missing.
 */
export async function settle(reading: Reading & { log: MemberLog }): Promise<void> {
  const { client, runtime, room, log } = reading;
  let quietAtSeq: number | undefined;
  while (await client.ready()) {
    const { seq } = log.position();
    const answer = await client.request('history:read', { room, after: seq, limit: 1 });
    if (!answer.ok && answer.error.code !== 'gone') reading.onError(answer.error.code);
    const head = answer.ok ? (answer.data.messages.at(-1)?.seq ?? seq) : undefined;
    const isComplete = head !== undefined && head <= log.position().seq && log.violations(seq).missing === 0;
    if (isComplete && quietAtSeq === head) return;
    quietAtSeq = isComplete ? head : undefined;
    const leftMs = reading.untilMs - runtime.now();
    if (leftMs <= 0) return;
    await pause(runtime, Math.min(QUIET_MS, leftMs));
  }
}

/** I8 in a quiet room. @returns false if the reads failed or the room was not quiet in time */
export async function compareWithReads(reading: Reading & { conversation: Conversation }): Promise<boolean> {
  const { client, runtime, room, conversation, untilMs, onError } = reading;
  for (;;) {
    const page = await client.request('messages:read', { room, limit: COMPARED_MESSAGES });
    // Returns the current position, because a position never goes back.
    const counts = await client.request('room:read', { room, seq: 0 });
    if (page.ok && counts.ok && page.data.head === conversation.view.position) {
      conversation.compare(page.data);
      conversation.compareCounts(counts.data);
      return true;
    }
    for (const answer of [page, counts]) if (!answer.ok && answer.error.code !== 'gone') onError(answer.error.code);
    if (runtime.now() >= untilMs || !(await client.ready())) return false;
    await pause(runtime, RETRY_MS);
  }
}
