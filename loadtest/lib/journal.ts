/**
 * What one member saw of one room, in the order it came, judged against the promise: every `seq` after the head at which it joined,
 * once, in order, its own included. Pure: no k6, no clock. Memory is bounded however long a run is.
 */
import type { Entry } from '@maru/protocol/events';

export interface JournalOptions {
  /** From the answer to `room:join`: live entries begin at `head + 1`. */
  epoch: string;
  head: number;
  /** How many of the newest entries are remembered with their content, to be compared with the history. */
  entriesMax?: number;
}

export interface Violations {
  /** Numbers that never came, up to the head that was asked about. */
  missing: number;
  /** Entries that came again, or that the answer to the join had covered already. */
  duplicated: number;
  /** Entries that came after one with a higher number. */
  outOfOrder: number;
  /** Entries under an epoch that nobody had announced. */
  foreign: number;
}

export interface Journal {
  /** Takes the next entry as it arrived and says what it was. */
  record(entry: Entry): 'in_order' | 'ahead' | 'late' | 'duplicate' | 'foreign';
  /** The log was rolled back to `head` and goes on from there: `room:event {type: "epoch"}`. */
  epochChanged(epoch: string, head: number): void;
  /** A resume that was not `recovered`: entries up to `head` will not come, and nobody promised them. */
  skipTo(epoch: string, head: number): void;
  /** The place to resume from. */
  position(): { epoch: string; seq: number };
  delivered(): number;
  /** Forgets the contents up to `seq`, which were audited. What is counted stays counted. */
  forget(seq: number): void;
  /** The oldest `seq` minus one from which `received` still answers: an audit of the history begins after it. */
  auditAfter(): number;
  /** The content that came with this `seq`, as `fingerprint` gives it; undefined when none came or it is forgotten. */
  received(seq: number): string | undefined;
  /** The verdict if `head` is the newest entry of the room. */
  violations(head: number): Violations;
}

/** Holes beyond this number are given up as missing, oldest first. A room that is whole has none. */
const HOLES_MAX = 1_000;
const ENTRIES_MAX_DEFAULT = 10_000;

/** The content of an entry that two readers of the log must agree on. */
export function fingerprint(entry: Entry): string {
  return JSON.stringify([entry.type, entry.from.id, entry.clientMsgId ?? null, entry.text ?? null, entry.ts]);
}

export function createJournal(options: JournalOptions): Journal {
  const entriesMax = options.entriesMax ?? ENTRIES_MAX_DEFAULT;
  let epoch = options.epoch;
  let floor = options.head;
  let last = options.head;
  let delivered = 0;
  let givenUp = 0;
  let duplicated = 0;
  let outOfOrder = 0;
  let foreign = 0;
  /** Runs of numbers that were jumped over, both ends included, ascending. */
  let holes: Array<{ from: number; to: number }> = [];
  const contents = new Map<number, string>();

  function openHole(from: number, to: number): void {
    holes.push({ from, to });
    if (holes.length <= HOLES_MAX) return;
    const oldest = holes.shift();
    if (oldest !== undefined) givenUp += oldest.to - oldest.from + 1;
  }

  /** Takes one number out of the holes; false when it was in none. */
  function fillHole(seq: number): boolean {
    const index = holes.findIndex((hole) => hole.from <= seq && seq <= hole.to);
    const hole = holes[index];
    if (hole === undefined) return false;
    const rest = [
      { from: hole.from, to: seq - 1 },
      { from: seq + 1, to: hole.to },
    ].filter(({ from, to }) => from <= to);
    holes.splice(index, 1, ...rest);
    return true;
  }

  function remember(entry: Entry): void {
    delivered++;
    contents.set(entry.seq, fingerprint(entry));
    if (contents.size <= entriesMax) return;
    for (const oldest of contents.keys()) {
      contents.delete(oldest);
      floor = Math.max(floor, oldest);
      break;
    }
  }

  return {
    record(entry) {
      if (entry.epoch !== epoch) {
        foreign++;
        return 'foreign';
      }
      if (entry.seq > last) {
        const inOrder = entry.seq === last + 1;
        if (!inOrder) openHole(last + 1, entry.seq - 1);
        last = entry.seq;
        remember(entry);
        return inOrder ? 'in_order' : 'ahead';
      }
      if (fillHole(entry.seq)) {
        outOfOrder++;
        remember(entry);
        return 'late';
      }
      duplicated++;
      return 'duplicate';
    },
    epochChanged(newEpoch, head) {
      epoch = newEpoch;
      // What survived and has not come yet is still owed.
      if (head > last) openHole(last + 1, head);
      last = head;
      floor = Math.min(floor, head);
      holes = holes.filter((hole) => hole.to <= head);
      for (const seq of [...contents.keys()]) if (seq > head) contents.delete(seq);
    },
    skipTo(newEpoch, head) {
      epoch = newEpoch;
      last = head;
      floor = head;
      contents.clear();
    },
    forget(seq) {
      for (const known of contents.keys()) if (known <= seq) contents.delete(known);
      floor = Math.max(floor, seq);
    },
    position: () => ({ epoch, seq: last }),
    delivered: () => delivered,
    auditAfter: () => floor,
    received: (seq) => contents.get(seq),
    violations(head) {
      const inHoles = holes.reduce((sum, hole) => sum + hole.to - hole.from + 1, 0);
      return { missing: givenUp + inHoles + Math.max(0, head - last), duplicated, outOfOrder, foreign };
    },
  };
}
