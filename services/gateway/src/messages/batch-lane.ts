/**
 * One lane of work towards the store, in order: what is submitted while a batch is under way goes out together as the
 * next. So the order of submission is the order of execution even where part of a batch has to be sent again, and
 * under load many items share one round trip (and one fsync of the store).
 *
 * It does not know what an item is. It never sends an item whose deadline has passed: nothing is acknowledged late.
 */

export interface BatchLane<Item, Result> {
  /** Resolves with the item's result; rejects with the error that `send` gave for it, or with `onExpired()`. */
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

export function createBatchLane<Item, Result>(options: {
  /** Executes in order; gives for each item its result or its error. Rejects where the whole batch failed. */
  send: (items: Item[]) => Promise<Array<Result | Error>>;
  batchMax: number;
  /** Beyond so many items a submission fails at once. */
  depthMax: number;
  deadlineMs: number;
  onExpired: () => Error;
  onOverflow: () => Error;
  /** A batch has had no answer for twice the deadline: the connection is to be replaced. */
  onStuck: () => void;
  now: () => number;
}): BatchLane<Item, Result> {
  const queue: Array<Waiting<Item, Result>> = [];
  let underWay: Array<Waiting<Item, Result>> = [];
  let sentAt = 0;
  let sending = false;
  let watch: NodeJS.Timeout | undefined;

  /** Fails what has waited too long. An item under way may still be stored: that is "unknown", and its result is dropped. */
  const expire = () => {
    const now = options.now();
    for (const waiting of underWay) if (waiting.expiresAt <= now) waiting.reject(options.onExpired());
    let expired = 0;
    while (expired < queue.length && (queue[expired] as Waiting<Item, Result>).expiresAt <= now) expired++;
    for (const waiting of queue.splice(0, expired)) waiting.reject(options.onExpired());
    if (sending && now - sentAt > 2 * options.deadlineMs) {
      sentAt = now;
      options.onStuck();
    }
    if (!sending && queue.length === 0) {
      clearInterval(watch);
      watch = undefined;
    }
  };

  const pump = async () => {
    sending = true;
    while (queue.length > 0) {
      underWay = queue.splice(0, options.batchMax);
      sentAt = options.now();
      try {
        const results = await options.send(underWay.map((waiting) => waiting.item));
        underWay.forEach((waiting, index) => {
          const result = results[index];
          if (result instanceof Error) waiting.reject(result);
          else waiting.resolve(result as Result);
        });
      } catch (error) {
        for (const waiting of underWay) waiting.reject(error);
      }
      underWay = [];
    }
    sending = false;
  };

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        if (queue.length + underWay.length >= options.depthMax) return reject(options.onOverflow());
        queue.push({ item, expiresAt: options.now() + options.deadlineMs, resolve, reject });
        watch ??= setInterval(expire, Math.max(10, options.deadlineMs / 16));
        // One turn later, so that items of the same turn share a batch.
        if (!sending) {
          sending = true;
          sentAt = options.now();
          setImmediate(pump);
        }
      }),
    get depth() {
      return queue.length + underWay.length;
    },
  };
}
