/** A lane of numbers, and places that are answered by hand. */
import { setImmediate as turn } from 'node:timers/promises';
import { Batcher, type SEND_AGAIN } from '../batcher.ts';

export type Outcome = number | Error | typeof SEND_AGAIN;
export interface Place {
  name: string;
}

export const ONLY: Place = { name: 'only' };

export function lane(
  send: (items: number[], place: Place) => Promise<Outcome[]>,
  overrides: {
    batchesInFlightMax?: number;
    depthMax?: number;
    deadlineMs?: number;
    now?: () => number;
    onStuck?: (place: Place) => void;
    groupOf?: (item: number) => number;
    destinationOf?: (group: number) => Place | undefined;
  } = {},
) {
  return new Batcher<number, number, Place>({
    send,
    groupOf: () => 0,
    destinationOf: () => ONLY,
    batchMax: 3,
    batchesInFlightMax: 2,
    depthMax: 10,
    deadlineMs: 200,
    onExpired: () => new Error('expired'),
    onOverflow: () => new Error('overflow'),
    onOvertaken: () => new Error('overtaken'),
    onStuck: () => {},
    now: () => Date.now(),
    ...overrides,
  });
}

/** Batches are answered by hand, in any order. */
export function byHand() {
  const sent: Array<{
    items: number[];
    place: Place;
    answer: (outcomes: Outcome[]) => void;
    fail: (error: Error) => void;
  }> = [];
  const send = (items: number[], place: Place) =>
    new Promise<Outcome[]>((answer, fail) => {
      sent.push({ items, place, answer, fail });
    });
  /** Answers the n-th batch, and waits until what follows from that is done. */
  const answer = async (n: number, ...outcomes: Outcome[]) => {
    sent[n]?.answer(outcomes);
    await turns();
  };
  return { sent, send, answer, items: () => sent.map(({ items }) => items) };
}

/** One in which answers arrive, one in which the lane sends. */
export const turns = async () => {
  await turn();
  await turn();
};

/** Tells what has become of it so far. */
export const watch = (promise: Promise<number>) => {
  const outcome = promise.catch((error: Error) => error.message);
  return () => Promise.race([outcome, turns().then(() => 'pending')]);
};
