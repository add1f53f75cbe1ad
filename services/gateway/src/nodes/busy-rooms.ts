/**
 * Which rooms are busy on this node. Nothing is counted per message: two samples of the heads of
 * the open rooms give the rates between them. Pure.
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
  /** Entries a second since the sample before; null in the first sample. */
  entriesPerS: number | null;
}

/** A sample that is older says nothing about now. */
const SAMPLE_AGE_MAX_MS = 60_000;
/** Two administrators who ask at once share the sample. */
const SAMPLE_AGE_MIN_MS = 2_000;

/** The rooms in which connections of this node are. */
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

  /** The busiest rooms first, then those with most connections. */
  sample(open: Iterable<OpenRoom>, limit: number, nowMs: number): BusyRoom[] {
    const ageMs = nowMs - this.#atMs;
    if (ageMs >= SAMPLE_AGE_MIN_MS) this.#take([...open], ageMs, nowMs);
    return this.#last.slice(0, limit);
  }

  #take(open: readonly OpenRoom[], ageMs: number, nowMs: number): void {
    const rate = ({ room, head }: OpenRoom): number | null => {
      const before = this.#heads.get(room);
      if (ageMs > SAMPLE_AGE_MAX_MS || before === undefined) return null;
      // A new epoch may begin below the old head.
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
      // Every node that has the room open sees all of its entries.
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
