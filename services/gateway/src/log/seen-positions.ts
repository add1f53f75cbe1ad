/**
 * The highest position that this node has seen of each room. The store is told it with every call: a log that shows less
 * than somebody has seen was rolled back, and opens a new epoch.
 */
import type { Position } from '@maru/protocol';

export interface SeenPositions {
  get(room: string): Position | undefined;
  note(room: string, epoch: string, seq: number): void;
}

/** Remembers at most `roomsMax` rooms, forgetting the one that was noted longest ago. */
export function createSeenPositions(options: { roomsMax: number }): SeenPositions {
  const positions = new Map<string, Position>();
  return {
    get: (room) => positions.get(room),
    note(room, epoch, seq) {
      const known = positions.get(room);
      if (known !== undefined) {
        // An answer of an earlier life that comes late must not hide the newer one.
        if (known.epoch !== epoch && epochNumber(epoch) < epochNumber(known.epoch)) return;
        // Deleted and set again, the room is the youngest: the map keeps the order in which they were noted.
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

/** The number before the dot: later lives of a log have higher ones. */
export const epochNumber = (epoch: string): number => Number.parseInt(epoch, 10) || 0;
