/**
 * Finds the busy rooms on this node. Nothing is counted for each message: the rates come from two
 * samples of the heads of open rooms. Pure.
 */

export interface OpenRoom {
  room: string;
  /** Connections of this node in the room. */
  connections: number;
  /** The newest `seq`. */
  head: number;
}

export interface BusyRoom {
  room: string;
  connections: number;
  /** Entries a second since the previous sample. Null in the first sample. */
  entriesPerS: number | null;
}

/** An older sample is ignored, because it does not describe the present. */
const SAMPLE_AGE_MAX_MS = 60_000;
/** Concurrent administrators share a sample. */
const SAMPLE_AGE_MIN_MS = 2_000;

/** Rooms with connections on this node. */
export function openRooms(
  sessions: Iterable<{ subscriptions: ReadonlyMap<string, unknown> }>,
  headOf: (room: string) => number,
): OpenRoom[] {
  const connections = new Map<string, number>();
  for (const { subscriptions } of sessions)
    for (const room of subscriptions.keys()) connections.set(room, (connections.get(room) ?? 0) + 1);
  return Array.from(connections, ([room, count]) => ({ room, connections: count, head: headOf(room) }));
}

export class BusyRooms {
  #heads: ReadonlyMap<string, number> = new Map();
  #atMs = Number.NEGATIVE_INFINITY;
  #last: BusyRoom[] = [];

  /** Busiest rooms first, then those with most connections. */
  sample(open: Iterable<OpenRoom>, limit: number, nowMs: number): BusyRoom[] {
    const ageMs = nowMs - this.#atMs;
    if (ageMs >= SAMPLE_AGE_MIN_MS) this.#take([...open], ageMs, nowMs);
    return this.#last.slice(0, limit);
  }

  #take(open: readonly OpenRoom[], ageMs: number, nowMs: number): void {
    const rate = ({ room, head }: OpenRoom): number | null => {
      const before = this.#heads.get(room);
      if (ageMs > SAMPLE_AGE_MAX_MS || before === undefined) return null;
      // A new epoch may start below the old head.
      return Math.max(0, head - before) / (ageMs / 1_000);
    };
    this.#last = open
      .map((one) => ({ room: one.room, connections: one.connections, entriesPerS: rate(one) }))
      .sort(byActivity);
    this.#heads = new Map(open.map(({ room, head }) => [room, head]));
    this.#atMs = nowMs;
  }
}

export function mergeRooms(pages: ReadonlyArray<readonly BusyRoom[]>, limit: number): BusyRoom[] {
  const merged = new Map<string, BusyRoom>();
  for (const { room, connections, entriesPerS } of pages.flat()) {
    const known = merged.get(room);
    merged.set(room, {
      room,
      connections: connections + (known?.connections ?? 0),
      // Every node with the room open sees all its entries, so take the maximum.
      entriesPerS: max(entriesPerS, known?.entriesPerS ?? null),
    });
  }
  return [...merged.values()].sort(byActivity).slice(0, limit);
}

const max = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

const byActivity = (one: BusyRoom, other: BusyRoom): number =>
  (other.entriesPerS ?? 0) - (one.entriesPerS ?? 0) ||
  other.connections - one.connections ||
  (one.room < other.room ? -1 : 1);
