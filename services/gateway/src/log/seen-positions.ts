/**
 * The highest position that this node has seen of each room. Every store call passes it: if a log
 * shows less than a node has seen, it was rolled back, and the script opens a new epoch.
 */
import type { Position } from '@maru/protocol';
import { epochNumber } from './entry-codec.ts';

export interface SeenPositions {
  get(room: string): Position | undefined;
  note(room: string, epoch: string, seq: number): void;
}

/** Remembers at most `roomsMax` rooms. Forgets the least recently noted room first. */
export function createSeenPositions(options: { roomsMax: number }): SeenPositions {
  const positions = new Map<string, Position>();
  return {
    get: (room) => positions.get(room),
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
