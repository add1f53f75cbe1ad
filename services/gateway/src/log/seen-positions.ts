/**
 * The highest position that this node has seen of each room. Every script call passes it: if a log
 * shows less than a node has seen, it was rolled back, and the script opens a new epoch.
 */
import { randomBytes } from 'node:crypto';
import type { Position } from '@maru/protocol';
import { epochNumber } from './entry-codec.ts';

export interface SeenPositions {
  /**
   * Arguments of a script call: the highest epoch ('' if none) and seq, and the random part of a
   * new epoch.
   */
  scriptArguments(room: string): [seenEpoch: string, seenSeq: number, candidate: string];
  note(room: string, epoch: string, seq: number): void;
  /** The room was deleted. A position would make a later log look rolled back. */
  forget(room: string): void;
  /** The highest seq; 0 if this node has seen no entry. A room with an entry is permanent. */
  headOf(room: string): number;
}

/** Remembers at most `roomsMax` rooms. Forgets the least recently noted room first. */
export function createSeenPositions(options: { roomsMax: number }): SeenPositions {
  const positions = new Map<string, Position>();
  // Unique in a process, and almost certainly unique across processes. At most 20 characters.
  const processPart = randomBytes(6).toString('hex');
  let candidates = 0;
  return {
    scriptArguments(room) {
      const position = positions.get(room);
      return [position?.epoch ?? '', position?.seq ?? 0, processPart + (candidates++).toString(36)];
    },
    forget: (room) => void positions.delete(room),
    headOf: (room) => positions.get(room)?.seq ?? 0,
    note(room, epoch, seq) {
      const known = positions.get(room);
      if (known !== undefined) {
        // A late answer from an earlier epoch must not hide the newer one.
        if (known.epoch !== epoch && epochNumber(epoch) < epochNumber(known.epoch)) return;
        // Deleting and setting makes the room the newest: a map keeps insertion order.
        positions.delete(room);
        if (known.epoch === epoch) {
          positions.set(room, known.seq < seq ? { epoch, seq } : known);
          return;
        }
      } else if (positions.size >= options.roomsMax) {
        const oldest = positions.keys().next();
        if (!oldest.done) positions.delete(oldest.value);
      }
      positions.set(room, { epoch, seq });
    },
  };
}
