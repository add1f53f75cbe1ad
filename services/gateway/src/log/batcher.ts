/**
 * Groups submitted items into batches and sends a few batches to each destination at a time.
 *
 * A batch leaves at the end of the event loop turn, even while earlier batches are in
 * flight. If the store flushes every write to disk, the batch shares the next flush. When the
 * maximum number of batches is in flight, items wait and leave together. A destination that hangs
 * delays no other.
 *
 * Order: items of one group are executed in the order of their submission. A destination executes
 * batches in the order in which they were sent, and a group has batches in flight to one
 * destination only. Items that were not executed return to the front of their group and are sent
 * again once none of the group is in flight. So the order does not depend on when or how often a
 * group changes its destination. An item that a later item of its group has overtaken is rejected,
 * never sent again.
 *
 * The batcher MUST NOT send an item after its deadline: nothing is acknowledged late. It does not
 * know what an item is.
 */
import { type Batch, firstExpiry, Group, type Part, SEND_AGAIN, type Waiting } from './batch-group.ts';

export { SEND_AGAIN };

export interface BatcherOptions<Item, Result, Destination extends object> {
  groupOf: (item: Item) => number;
  /** The group's destination now; undefined while it is unknown, which makes the group wait. */
  destinationOf: (group: number) => Destination | undefined;
  /**
   * MUST execute items in order, within a batch and across batches in the order of the calls. Calls
   * may settle in any order. Resolves with a result, an error or SEND_AGAIN for each item. Rejects
   * with an Error if the whole batch failed.
   */
  send: (items: Item[], destination: Destination) => Promise<Array<Result | Error | typeof SEND_AGAIN>>;
  /** Items in a batch. */
  batchMax: number;
  /** Batches in flight to one destination. */
  batchesInFlightMax: number;
  /** Items waiting or in flight. Further submissions are rejected. */
  depthMax: number;
  deadlineMs: number;
  onExpired: () => Error;
  onOverflow: () => Error;
  onOvertaken: () => Error;
  now: () => number;
}

export class Batcher<Item, Result, Destination extends object> {
  readonly #options: BatcherOptions<Item, Result, Destination>;
  readonly #tickMs: number;
  readonly #groups = new Map<number, Group<Item, Result, Destination>>();
  readonly #inFlight = new Map<Destination, Set<Batch<Item, Result, Destination>>>();
  /** Destinations to send to at the end of this turn. `undefined` only ends the turn. */
  readonly #due = new Set<Destination | undefined>();
  #nextOrder = 0;
  #itemsWaiting = 0;
  #itemsInFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = 0;

  constructor(options: BatcherOptions<Item, Result, Destination>) {
    this.#options = options;
    this.#tickMs = Math.max(10, options.deadlineMs / 16);
  }

  /**
   * Resolves with the item's result. Rejects with the error from `send`, `onExpired`, `onOverflow`
   * or `onOvertaken`.
   */
  submit(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { depthMax, onOverflow, groupOf, destinationOf, now, deadlineMs } = this.#options;
      if (this.depth >= depthMax) return reject(onOverflow());
      const key = groupOf(item);
      let group = this.#groups.get(key);
      if (group === undefined) {
        group = new Group(key);
        this.#groups.set(key, group);
      }
      group.queue.push({
        item,
        order: this.#nextOrder++,
        expiresAt: now() + deadlineMs,
        isExpired: false,
        resolve,
        reject,
      });
      this.#itemsWaiting++;
      this.#sendSoon(destinationOf(key));
    });
  }

  /** Items waiting or in flight. */
  get depth(): number {
    return this.#itemsWaiting + this.#itemsInFlight;
  }

  /** At the end of the turn, so that items of one turn share a batch. */
  #sendSoon(destination: Destination | undefined): void {
    if (this.#due.size === 0) setImmediate(() => this.#endTurn());
    this.#due.add(destination);
  }

  #endTurn(): void {
    const destinations = [...this.#due];
    this.#due.clear();
    for (const destination of destinations) if (destination !== undefined) this.#sendBatches(destination);
    this.#armTimer();
  }

  #sendBatches(destination: Destination): void {
    const batches = this.#inFlight.get(destination) ?? new Set();
    while (batches.size < this.#options.batchesInFlightMax) {
      const batch = this.#takeBatch(destination);
      if (batch.parts.length === 0) return;
      this.#inFlight.set(destination, batches.add(batch));
      void this.#execute(batch, destination, batches);
    }
  }

  #takeBatch(destination: Destination): Batch<Item, Result, Destination> {
    const { batchMax, destinationOf } = this.#options;
    const batch: Batch<Item, Result, Destination> = { parts: [] };
    let free = batchMax;
    for (const group of this.#groups.values()) {
      if (free === 0) break;
      if (group.queue.length === 0 || group.resting || destinationOf(group.key) !== destination) continue;
      if (group.batchesInFlight > 0 && group.destination !== destination) continue;
      this.#rejectFront(group);
      const items = group.take(free, destination);
      if (items.length === 0) continue;
      free -= items.length;
      batch.parts.push({ group, items });
      this.#itemsWaiting -= items.length;
      this.#itemsInFlight += items.length;
      // To the end of the map, so that a busy group does not starve the others.
      if (this.#groups.size === 1) continue;
      this.#groups.delete(group.key);
      this.#groups.set(group.key, group);
    }
    return batch;
  }

  async #execute(
    batch: Batch<Item, Result, Destination>,
    destination: Destination,
    batches: Set<Batch<Item, Result, Destination>>,
  ): Promise<void> {
    const [first] = batch.parts;
    const waiting = batch.parts.length === 1 && first ? first.items : batch.parts.flatMap((part) => part.items);
    let results: Array<Result | Error | typeof SEND_AGAIN>;
    try {
      results = await this.#options.send(
        waiting.map(({ item }) => item),
        destination,
      );
    } catch (error) {
      results = waiting.map(() => error as Error);
    }
    batches.delete(batch);
    if (batches.size === 0) this.#inFlight.delete(destination);
    let from = 0;
    for (const part of batch.parts) {
      this.#settle(part, results.slice(from, from + part.items.length));
      from += part.items.length;
    }
    // Usually nothing waits, and a further turn would cost time for no gain.
    if (this.#itemsWaiting > 0) this.#sendSoon(destination);
    else this.#armTimer();
  }

  #settle({ group, items }: Part<Item, Result, Destination>, results: unknown[]): void {
    const returned: typeof items = [];
    items.forEach((waiting, index) => {
      const result = results[index];
      if (result === SEND_AGAIN) {
        returned.push(waiting);
        return;
      }
      group.executedUpTo = Math.max(group.executedUpTo, waiting.order);
      if (result instanceof Error) waiting.reject(result);
      else waiting.resolve(result as Result);
    });
    group.batchesInFlight--;
    this.#itemsInFlight -= items.length;
    this.#itemsWaiting += returned.length;
    if (returned.length > 0) group.putBack(returned);
    this.#rejectFront(group);
    const [front] = group.queue;
    group.resting = front !== undefined && front.order <= group.sentUpTo;
    // The group may have another destination now.
    if (front !== undefined) this.#sendSoon(this.#options.destinationOf(group.key));
  }

  /**
   * Rejects items that must not be sent, which are always at the front. Removes the group if
   * it is empty then.
   */
  #rejectFront(group: Group<Item, Result, Destination>): void {
    const { now, onOvertaken, onExpired } = this.#options;
    let rejected = 0;
    for (const { order, expiresAt, reject } of group.queue) {
      const isOvertaken = order < group.executedUpTo;
      if (!isOvertaken && expiresAt > now()) break;
      reject(isOvertaken ? onOvertaken() : onExpired());
      rejected++;
    }
    if (rejected > 0) group.queue.splice(0, rejected);
    this.#itemsWaiting -= rejected;
    if (group.queue.length === 0 && group.batchesInFlight === 0) this.#groups.delete(group.key);
  }

  /**
   * Rejects expired items. An item in flight may still be stored: its outcome is unknown, and its
   * result is dropped.
   */
  #tick(): void {
    this.#timer = undefined;
    for (const batches of this.#inFlight.values()) this.#expireInFlight(batches);
    for (const group of this.#groups.values()) {
      this.#rejectFront(group);
      if (group.batchesInFlight === 0) group.resting = false;
      this.#sendSoon(this.#options.destinationOf(group.key));
    }
  }

  #expireInFlight(batches: Set<Batch<Item, Result, Destination>>): void {
    const { now, onExpired } = this.#options;
    for (const { parts } of batches) {
      for (const waiting of parts.flatMap(({ items }): Array<Waiting<Item, Result>> => items)) {
        if (waiting.isExpired || waiting.expiresAt > now()) continue;
        waiting.isExpired = true;
        waiting.reject(onExpired());
      }
    }
  }

  /**
   * Ticks soon while items wait; otherwise when the first item in flight may expire. A timer that
   * is early enough stays, so a trickle of items costs one wake-up per deadline. A timer that has
   * no items does not keep the process alive.
   */
  #armTimer(): void {
    const { now } = this.#options;
    if (this.#groups.size === 0) this.#timer?.unref();
    else this.#timer?.ref();
    const soon = now() + this.#tickMs;
    const isWaiting = this.#itemsWaiting > 0;
    if (this.#groups.size === 0) return;
    if (this.#timer !== undefined && (!isWaiting || this.#wakesAt <= soon)) return;
    clearTimeout(this.#timer);
    this.#wakesAt = isWaiting ? soon : Math.max(soon, firstExpiry(this.#inFlight, now(), this.#options.deadlineMs));
    this.#timer = setTimeout(() => this.#tick(), this.#wakesAt - now());
  }
}
