/**
 * Work towards the store in batches, one batch under way to each destination: what is submitted meanwhile goes out together as the next. So
 * under load many items share one round trip (and one fsync of the store), and a destination that hangs holds up no other.
 *
 * Items of one group are carried out in the order in which they were submitted: a group is under way to one destination at a time, and
 * what was not carried out goes back to its front. That makes the order independent of when, and how often, a group changes its
 * destination. An item that a later one of its group has overtaken is not sent again: it is refused.
 *
 * It does not know what an item is. It never sends an item whose deadline has passed: nothing is acknowledged late.
 */

/** Certainly not carried out: to be sent again, wherever the group then belongs. */
export const SEND_AGAIN = Symbol('send again');

export interface BatchLane<Item, Result> {
  /** Resolves with the item's result; rejects with the error that `send` gave for it, with `onExpired()`, or with `onOvertaken()`. */
  submit(item: Item): Promise<Result>;
  /** Items waiting or under way. */
  readonly depth: number;
}

interface Waiting<Item, Result> {
  item: Item;
  expiresAt: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

interface Group<Item, Result> {
  queue: Array<Waiting<Item, Result>>;
  underWay: boolean;
  /** Something of it came back: it waits for the next tick before it is sent again. */
  resting: boolean;
}

interface Batch<Item, Result> {
  sentAt: number;
  parts: Array<{ key: number; group: Group<Item, Result>; items: Array<Waiting<Item, Result>> }>;
}

export function createBatchLane<Item, Result, Destination extends object>(options: {
  groupOf: (item: Item) => number;
  /** Where the group belongs now; undefined while nobody knows: it waits. */
  destinationOf: (group: number) => Destination | undefined;
  /** Executes in order; gives for each item its result, its error or SEND_AGAIN. Rejects, with an Error, where the whole batch failed. */
  send: (items: Item[], destination: Destination) => Promise<Array<Result | Error | typeof SEND_AGAIN>>;
  batchMax: number;
  /** Beyond so many items a submission fails at once. */
  depthMax: number;
  deadlineMs: number;
  onExpired: () => Error;
  onOverflow: () => Error;
  onOvertaken: () => Error;
  /** A batch has had no answer for twice the deadline: the connection is to be replaced. */
  onStuck: (destination: Destination) => void;
  now: () => number;
}): BatchLane<Item, Result> {
  const { now } = options;
  const groups = new Map<number, Group<Item, Result>>();
  const underWay = new Map<Destination, Batch<Item, Result>>();
  /** Destinations that will be pumped at the end of this turn. */
  const due = new Set<Destination>();
  let depth = 0;
  let ticker: NodeJS.Timeout | undefined;

  const pumpSoon = (destination: Destination | undefined) => {
    if (destination === undefined || underWay.has(destination) || due.has(destination)) return;
    due.add(destination);
    // One turn later, so that items of the same turn share a batch.
    setImmediate(() => {
      due.delete(destination);
      void pump(destination);
    });
  };

  const takeBatch = (destination: Destination): Batch<Item, Result> => {
    const batch: Batch<Item, Result> = { sentAt: now(), parts: [] };
    let room = options.batchMax;
    for (const [key, group] of groups) {
      if (room === 0) break;
      if (group.underWay || group.resting || options.destinationOf(key) !== destination) continue;
      const items = group.queue.splice(0, room);
      room -= items.length;
      group.underWay = true;
      batch.parts.push({ key, group, items });
    }
    return batch;
  };

  const pump = async (destination: Destination) => {
    if (underWay.has(destination)) return;
    for (let batch = takeBatch(destination); batch.parts.length > 0; batch = takeBatch(destination)) {
      underWay.set(destination, batch);
      const items = batch.parts.flatMap((part) => part.items);
      const results = await options
        .send(
          items.map(({ item }) => item),
          destination,
        )
        .catch((error: unknown) => items.map(() => error as Error));
      underWay.delete(destination);
      let from = 0;
      for (const { key, group, items: part } of batch.parts) {
        settle(group, part, results.slice(from, from + part.length));
        from += part.length;
        release(key, group);
      }
    }
  };

  const settle = (group: Group<Item, Result>, items: Array<Waiting<Item, Result>>, results: unknown[]) => {
    const lastDone = results.findLastIndex((result) => result !== SEND_AGAIN);
    const back: typeof items = [];
    items.forEach((waiting, index) => {
      const result = results[index];
      if (result === SEND_AGAIN && index > lastDone && waiting.expiresAt > now()) {
        back.push(waiting);
        return;
      }
      depth--;
      if (result === SEND_AGAIN) waiting.reject(index > lastDone ? options.onExpired() : options.onOvertaken());
      else if (result instanceof Error) waiting.reject(result);
      else waiting.resolve(result as Result);
    });
    group.queue.unshift(...back);
    group.resting = back.length > 0;
  };

  /** Behind the others, so that a busy group does not starve them. */
  const release = (key: number, group: Group<Item, Result>) => {
    group.underWay = false;
    groups.delete(key);
    if (group.queue.length === 0) return;
    groups.set(key, group);
    pumpSoon(options.destinationOf(key));
  };

  /** Fails what has waited too long. An item under way may still be stored: that is "unknown", and its result is dropped. */
  const tick = () => {
    for (const [destination, batch] of underWay) {
      for (const { items } of batch.parts)
        for (const waiting of items) if (waiting.expiresAt <= now()) waiting.reject(options.onExpired());
      if (now() - batch.sentAt <= 2 * options.deadlineMs) continue;
      batch.sentAt = now();
      options.onStuck(destination);
    }
    for (const [key, group] of groups) {
      let expired = 0;
      while (expired < group.queue.length && (group.queue[expired] as Waiting<Item, Result>).expiresAt <= now())
        expired++;
      depth -= expired;
      for (const waiting of group.queue.splice(0, expired)) waiting.reject(options.onExpired());
      group.resting = false;
      if (group.underWay) continue;
      if (group.queue.length === 0) groups.delete(key);
      else pumpSoon(options.destinationOf(key));
    }
    if (groups.size > 0) return;
    clearInterval(ticker);
    ticker = undefined;
  };

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        if (depth >= options.depthMax) return reject(options.onOverflow());
        depth++;
        const key = options.groupOf(item);
        let group = groups.get(key);
        if (group === undefined) {
          group = { queue: [], underWay: false, resting: false };
          groups.set(key, group);
        }
        group.queue.push({ item, expiresAt: now() + options.deadlineMs, resolve, reject });
        ticker ??= setInterval(tick, Math.max(10, options.deadlineMs / 16));
        if (!group.underWay && !group.resting) pumpSoon(options.destinationOf(key));
      }),
    get depth() {
      return depth;
    },
  };
}
