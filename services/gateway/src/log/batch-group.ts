/** The state of the batcher: waiting items, groups in order, batches in flight. */

/** The result of an item that was certainly not executed. The batcher sends it again. */
export const SEND_AGAIN = Symbol('send again');

export interface Waiting<Item, Result> {
  item: Item;
  /** Position among all items that were ever submitted. */
  order: number;
  expiresAt: number;
  /** It expired in flight and was rejected. Its result is dropped. */
  isExpired: boolean;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export interface Batch<Item, Result, Destination> {
  parts: Array<Part<Item, Result, Destination>>;
}

/** The items of one group in a batch. */
export interface Part<Item, Result, Destination> {
  group: Group<Item, Result, Destination>;
  items: Array<Waiting<Item, Result>>;
}

export class Group<Item, Result, Destination> {
  readonly key: number;
  /** In the order of submission, which is the order of expiry. */
  queue: Array<Waiting<Item, Result>> = [];
  /** Batches in flight with items of this group, all to `destination`. */
  batchesInFlight = 0;
  destination: Destination | undefined;
  /** Order of the last item that was sent, and of the last one that may have been executed. */
  sentUpTo = -1;
  executedUpTo = -1;
  /** Some items must be sent again. The group waits until none of its items is in flight. */
  resting = false;

  constructor(key: number) {
    this.key = key;
  }

  /** Takes up to `max` items from the front for one batch. */
  take(max: number, destination: Destination): Array<Waiting<Item, Result>> {
    const takesAll = this.queue.length <= max;
    const items = takesAll ? this.queue : this.queue.splice(0, max);
    if (takesAll) this.queue = [];
    const last = items.at(-1);
    if (last === undefined) return items;
    this.batchesInFlight++;
    this.destination = destination;
    this.sentUpTo = last.order;
    return items;
  }

  /** Batches may settle in any order, so the queue is sorted again. */
  putBack(items: Array<Waiting<Item, Result>>): void {
    this.queue = [...items, ...this.queue].sort((a, b) => a.order - b.order);
  }
}

/**
 * When the first item in flight expires. At most one deadline from now, so no item that is
 * submitted later expires before.
 */
export function firstExpiry<Item, Result, Destination>(
  inFlight: Map<Destination, Set<Batch<Item, Result, Destination>>>,
  nowMs: number,
  deadlineMs: number,
): number {
  let at = nowMs + deadlineMs;
  for (const { parts } of [...inFlight.values()].flatMap((batches) => [...batches])) {
    for (const { expiresAt, isExpired } of parts.flatMap(({ items }) => items))
      if (!isExpired) at = Math.min(at, expiresAt);
  }
  return at;
}
