/**
 * Work towards the store in batches, a few under way to each destination. What is submitted goes out at the end of the turn, whatever is
 * under way, so that with a store that flushes each write it shares the next flush. Where as many batches as may be are under way, it waits
 * and goes out together: under load many items share one round trip. A destination that hangs holds up no other.
 *
 * Items of one group are carried out in the order in which they were submitted. A destination carries batches out in the order in which
 * they were sent, whichever is answered first, and a group is under way to one destination at a time; what was not carried out goes back
 * to its front, and is sent again once nothing of the group is under way. That makes the order independent of when, and how often, a group
 * changes its destination. An item that a later one of its group has overtaken is not sent again: it is refused.
 *
 * It does not know what an item is. It never sends an item whose deadline has passed: nothing is acknowledged late.
 */

/** Certainly not carried out: to be sent again, wherever the group then belongs. */
export const SEND_AGAIN = Symbol('send again');

export interface Batcher<Item, Result> {
  /** Resolves with the item's result; rejects with the error that `send` gave for it, with `onExpired()`, or with `onOvertaken()`. */
  submit(item: Item): Promise<Result>;
  /** Items waiting or under way. */
  readonly depth: number;
}

interface Waiting<Item, Result> {
  item: Item;
  /** Its place among all that were ever submitted. */
  order: number;
  expiresAt: number;
  /** It expired under way and was failed: its result is dropped. */
  isExpired: boolean;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

interface Group<Item, Result, Destination> {
  key: number;
  /** In the order of submission, and so of expiry. */
  queue: Array<Waiting<Item, Result>>;
  /** How many batches with items of it are under way, all of them to `destination`. */
  underWay: number;
  destination: Destination | undefined;
  /** Orders of the last item sent, and of the last one that may have been carried out. */
  sentUpTo: number;
  doneUpTo: number;
  /** Something of it came back: it waits for the first tick with nothing of it under way. */
  resting: boolean;
}

interface Batch<Item, Result, Destination> {
  sentAt: number;
  parts: Array<{ group: Group<Item, Result, Destination>; items: Array<Waiting<Item, Result>> }>;
}

export function createBatcher<Item, Result, Destination extends object>(options: {
  groupOf: (item: Item) => number;
  /** Where the group belongs now; undefined while nobody knows: it waits. */
  destinationOf: (group: number) => Destination | undefined;
  /**
   * Executes in order, within a batch and over the batches in the order of the calls, which may settle in any order; gives for each item
   * its result, its error or SEND_AGAIN. Rejects, with an Error, where the whole batch failed.
   */
  send: (items: Item[], destination: Destination) => Promise<Array<Result | Error | typeof SEND_AGAIN>>;
  batchMax: number;
  /** Batches under way to one destination. */
  batchesAtOnceMax: number;
  /** Beyond so many items a submission fails at once. */
  depthMax: number;
  deadlineMs: number;
  onExpired: () => Error;
  onOverflow: () => Error;
  onOvertaken: () => Error;
  /** A batch has had no answer for twice the deadline: the connection is to be replaced. */
  onStuck: (destination: Destination) => void;
  now: () => number;
}): Batcher<Item, Result> {
  type Part = Batch<Item, Result, Destination>['parts'][number];
  const { now, deadlineMs } = options;
  const tickMs = Math.max(10, deadlineMs / 16);
  const groups = new Map<number, Part['group']>();
  const underWay = new Map<Destination, Set<Batch<Item, Result, Destination>>>();
  /** Destinations that will be pumped at the end of this turn; it ends so wherever this holds anything, be it undefined. */
  const due = new Set<Destination | undefined>();
  let nextOrder = 0;
  let itemsWaiting = 0;
  let itemsUnderWay = 0;
  let timer: NodeJS.Timeout | undefined;
  let wakesAt = 0;

  /** At the end of the turn, so that items of the same turn share a batch. */
  const pumpSoon = (destination: Destination | undefined) => {
    if (due.size === 0) setImmediate(endTurn);
    due.add(destination);
  };

  const endTurn = () => {
    const destinations = [...due];
    due.clear();
    for (const destination of destinations) if (destination !== undefined) pump(destination);
    arm();
  };

  const pump = (destination: Destination) => {
    const batches = underWay.get(destination) ?? new Set();
    while (batches.size < options.batchesAtOnceMax) {
      const batch = takeBatch(destination);
      if (batch.parts.length === 0) return;
      underWay.set(destination, batches.add(batch));
      void carryOut(batch, destination, batches);
    }
  };

  const takeBatch = (destination: Destination) => {
    const batch: Batch<Item, Result, Destination> = { sentAt: now(), parts: [] };
    let room = options.batchMax;
    for (const group of groups.values()) {
      if (room === 0) break;
      if (group.queue.length === 0 || group.resting || options.destinationOf(group.key) !== destination) continue;
      if (group.underWay > 0 && group.destination !== destination) continue;
      refuse(group);
      // Mostly all of it goes.
      const all = group.queue.length <= room;
      const items = all ? group.queue : group.queue.splice(0, room);
      if (all) group.queue = [];
      const last = items.at(-1);
      if (last === undefined) continue;
      room -= items.length;
      group.underWay++;
      group.destination = destination;
      group.sentUpTo = last.order;
      batch.parts.push({ group, items });
      itemsWaiting -= items.length;
      itemsUnderWay += items.length;
      // Behind the others, so that a busy group does not starve them.
      if (groups.size === 1) continue;
      groups.delete(group.key);
      groups.set(group.key, group);
    }
    return batch;
  };

  const carryOut = async (
    batch: Batch<Item, Result, Destination>,
    destination: Destination,
    batches: Set<typeof batch>,
  ) => {
    const [first] = batch.parts;
    const waiting = batch.parts.length === 1 && first ? first.items : batch.parts.flatMap((part) => part.items);
    let results: Array<Result | Error | typeof SEND_AGAIN>;
    try {
      results = await options.send(
        waiting.map(({ item }) => item),
        destination,
      );
    } catch (error) {
      results = waiting.map(() => error as Error);
    }
    batches.delete(batch);
    if (batches.size === 0) underWay.delete(destination);
    let from = 0;
    for (const part of batch.parts) {
      settle(part, results.slice(from, from + part.items.length));
      from += part.items.length;
    }
    // Mostly nothing waits, and another turn would be for nothing.
    if (itemsWaiting > 0) pumpSoon(destination);
    else arm();
  };

  const settle = ({ group, items }: Part, results: unknown[]) => {
    const back: typeof items = [];
    items.forEach((waiting, index) => {
      const result = results[index];
      if (result === SEND_AGAIN) {
        back.push(waiting);
        return;
      }
      group.doneUpTo = Math.max(group.doneUpTo, waiting.order);
      if (result instanceof Error) waiting.reject(result);
      else waiting.resolve(result as Result);
    });
    group.underWay--;
    itemsUnderWay -= items.length;
    itemsWaiting += back.length;
    // Batches may be answered in any order.
    if (back.length > 0) group.queue = [...back, ...group.queue].sort((a, b) => a.order - b.order);
    refuse(group);
    const [front] = group.queue;
    group.resting = front !== undefined && front.order <= group.sentUpTo;
    // It may belong elsewhere by now.
    if (front !== undefined) pumpSoon(options.destinationOf(group.key));
  };

  /** Fails what must not be sent any more, which is always at the front, and forgets the group where nothing is left of it. */
  const refuse = (group: Part['group']) => {
    let refused = 0;
    for (const { order, expiresAt, reject } of group.queue) {
      const isOvertaken = order < group.doneUpTo;
      if (!isOvertaken && expiresAt > now()) break;
      reject(isOvertaken ? options.onOvertaken() : options.onExpired());
      refused++;
    }
    if (refused > 0) group.queue.splice(0, refused);
    itemsWaiting -= refused;
    if (group.queue.length === 0 && group.underWay === 0) groups.delete(group.key);
  };

  /** Fails what has waited too long. An item under way may still be stored: that is "unknown", and its result is dropped. */
  const tick = () => {
    timer = undefined;
    for (const [destination, batches] of underWay) {
      let isStuck = false;
      for (const { sentAt, parts } of batches) {
        isStuck ||= now() - sentAt >= 2 * deadlineMs;
        for (const waiting of parts.flatMap(({ items }) => items)) {
          if (waiting.isExpired || waiting.expiresAt > now()) continue;
          waiting.isExpired = true;
          waiting.reject(options.onExpired());
        }
      }
      if (!isStuck) continue;
      for (const batch of batches) batch.sentAt = now();
      options.onStuck(destination);
    }
    for (const group of groups.values()) {
      refuse(group);
      if (group.underWay === 0) group.resting = false;
      pumpSoon(options.destinationOf(group.key));
    }
  };

  /**
   * Soon while something waits; else when the first under way may expire or be stuck. A timer that is early enough is left alone, so that a
   * trickle of items costs one wake-up per deadline; one that nothing needs any more keeps no process alive.
   */
  const arm = () => {
    if (groups.size === 0) timer?.unref();
    else timer?.ref();
    const soon = now() + tickMs;
    if (groups.size === 0 || (timer !== undefined && (itemsWaiting === 0 || wakesAt <= soon))) return;
    clearTimeout(timer);
    wakesAt = itemsWaiting > 0 ? soon : Math.max(soon, firstDue());
    timer = setTimeout(tick, wakesAt - now());
  };

  /** Never beyond the deadline from now, so that nothing that is submitted later is due before. */
  const firstDue = (): number => {
    let at = now() + deadlineMs;
    for (const { sentAt, parts } of [...underWay.values()].flatMap((batches) => [...batches])) {
      at = Math.min(at, sentAt + 2 * deadlineMs);
      for (const { expiresAt, isExpired } of parts.flatMap(({ items }) => items))
        if (!isExpired) at = Math.min(at, expiresAt);
    }
    return at;
  };

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        if (itemsWaiting + itemsUnderWay >= options.depthMax) return reject(options.onOverflow());
        const key = options.groupOf(item);
        let group = groups.get(key);
        if (group === undefined) {
          group = {
            key,
            queue: [],
            underWay: 0,
            destination: undefined,
            sentUpTo: -1,
            doneUpTo: -1,
            resting: false,
          };
          groups.set(key, group);
        }
        group.queue.push({
          item,
          order: nextOrder++,
          expiresAt: now() + deadlineMs,
          isExpired: false,
          resolve,
          reject,
        });
        itemsWaiting++;
        pumpSoon(options.destinationOf(key));
      }),
    get depth() {
      return itemsWaiting + itemsUnderWay;
    },
  };
}
