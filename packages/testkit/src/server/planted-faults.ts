/**
 * Faults that the product must never have. Each is planted once, in each room of a fake server.
 * Tests check that the checker finds it.
 */
import type { Entry, ReadData } from '@maru/protocol/events';

/** Faults of reads, in all reads of a room. */
export type ReadFault =
  | 'edit_unread'
  | 'deleted_text_read'
  | 'reaction_miscounted'
  | 'reply_miscounted'
  | 'pin_unread'
  | 'unread_miscounted'
  | 'mention_miscounted'
  | 'read_position_lost';

/**
 * The broken promise. It takes effect at the `FAULTY_SEQ`-th message of a room. For `resume_…`, it
 * takes effect when a member that lost its connection at that message resumes the room.
 */
export type PlantedFault =
  | 'none'
  | ReadFault
  | 'act_refused'
  | 'lost'
  | 'lost_last'
  | 'doubled'
  | 'swapped'
  | 'altered'
  | 'forged'
  | 'acknowledged_not_stored'
  | 'stored_twice'
  | 'send_refused'
  | 'ack_withheld'
  | 'cut'
  | 'asked_to_move'
  | 'connect_refused'
  | 'resume_hole'
  | 'resume_tail_lost'
  | 'resume_doubled'
  | 'resume_replayed'
  | 'resume_swapped'
  | 'resume_altered'
  | 'resume_unrecovered'
  | 'resume_refused'
  | 'resume_unanswered';

const FAULTY_SEQ = 5;
/** A fault of a resume is visible only if the member missed this many entries. */
const MISSED_MIN = 3;

/** Maximum time that a resume waits until the member has missed enough. */
const MISSED_WAIT_MS = 1_000;
const MISSED_CHECK_MS = 20;

export const isResumeFault = (fault: PlantedFault): boolean => fault.startsWith('resume_');

const alter = (entry: Entry): Entry => ({ ...entry, text: `${entry.text}.` });

/** Plants one fault in one room. */
export class RoomFault {
  readonly #fault: PlantedFault;
  #stored = false;
  #resumed = false;
  #held: Entry | undefined;

  constructor(fault: PlantedFault) {
    this.#fault = fault;
  }

  /** The fault for the message that will be stored as `seq`. `none` for all others. */
  ofSend(seq: number): PlantedFault {
    if (this.#stored || seq < FAULTY_SEQ) return 'none';
    this.#stored = true;
    return this.#fault;
  }

  /** The entries that the room's first member receives instead of `entry`. */
  deliver(entry: Entry, fault: PlantedFault): Entry[] {
    if (fault === 'lost' || (this.#fault === 'lost_last' && entry.seq >= FAULTY_SEQ)) return [];
    if (fault === 'swapped') {
      this.#held = entry;
      return [];
    }
    const delivered = [fault === 'altered' ? alter(entry) : entry];
    if (fault === 'doubled') delivered.push(entry);
    if (this.#held !== undefined) delivered.push(this.#held);
    this.#held = undefined;
    return delivered;
  }

  /** The form of the message in a read. */
  read(message: Entry): Entry {
    const { edited, deleted, reactions, replies, pinned, ...rest } = message;
    if (this.#fault === 'edit_unread' && edited !== undefined) return rest;
    if (this.#fault === 'deleted_text_read' && deleted !== undefined) return { ...message, text: 'not erased' };
    if (this.#fault === 'reaction_miscounted' && reactions !== undefined)
      return { ...message, reactions: reactions.map((one) => ({ ...one, count: one.count + 1 })) };
    if (this.#fault === 'reply_miscounted' && replies !== undefined)
      return { ...message, replies: { ...replies, n: replies.n + 1 } };
    if (this.#fault === 'pin_unread' && pinned) return { ...message, pinned: undefined } as unknown as Entry;
    return message;
  }

  counts(counts: ReadData): ReadData {
    if (this.#fault === 'unread_miscounted') return { ...counts, unread: counts.unread + 1 };
    if (this.#fault === 'mention_miscounted') return { ...counts, mentions: counts.mentions + 1 };
    if (this.#fault === 'read_position_lost') return { ...counts, seq: 0, n: 0 };
    return counts;
  }

  refusesActs(): boolean {
    return this.#fault === 'act_refused';
  }

  /** Whether a fault of the resume must wait until the member has missed enough. */
  waitsForMore(seq: number, head: number): boolean {
    return isResumeFault(this.#fault) && !this.#resumed && head < seq + MISSED_MIN;
  }

  /** The fault of a resume after `seq`. Returned once. */
  ofResume(seq: number, missed: number): PlantedFault {
    if (!isResumeFault(this.#fault) || this.#resumed || seq < 2 || missed < MISSED_MIN) return 'none';
    this.#resumed = true;
    return this.#fault;
  }
}

/** The entries that a resume after `seq` delivers. `log`: all entries of the room. */
export function deliverResumed(fault: PlantedFault, log: readonly Entry[], seq: number): Entry[] {
  const missed = log.filter((entry) => entry.seq > seq);
  if (fault === 'none') return missed;
  const [first, second, ...rest] = missed as [Entry, Entry, ...Entry[]];
  switch (fault) {
    case 'resume_hole':
      return [first, ...rest];
    case 'resume_tail_lost':
      return missed.slice(0, -1);
    case 'resume_doubled':
      return [first, first, second, ...rest];
    case 'resume_replayed':
      return log.filter((entry) => entry.seq >= seq);
    case 'resume_swapped':
      return [second, first, ...rest];
    case 'resume_altered':
      return [alter(first), second, ...rest];
    default:
      return [];
  }
}

/** Delays a resume while `waits` returns true, but not for long. */
export async function whenEnoughMissed(waits: () => boolean): Promise<void> {
  for (let waitedMs = 0; waits() && waitedMs < MISSED_WAIT_MS; waitedMs += MISSED_CHECK_MS)
    await new Promise((resolve) => setTimeout(resolve, MISSED_CHECK_MS));
}
