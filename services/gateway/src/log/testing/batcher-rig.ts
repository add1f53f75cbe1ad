/** A batcher of numbers. The test answers its batches. */
import { setImmediate as turn } from 'node:timers/promises';
import { Batcher, type SEND_AGAIN } from '../batcher.ts';

export type Outcome = number | Error | typeof SEND_AGAIN;
export interface Destination {
  name: string;
}

export const ONLY: Destination = { name: 'only' };

export function createTestBatcher(
  send: (items: number[], destination: Destination) => Promise<Outcome[]>,
  overrides: {
    batchesInFlightMax?: number;
    depthMax?: number;
    deadlineMs?: number;
    now?: () => number;
    groupOf?: (item: number) => number;
    destinationOf?: (group: number) => Destination | undefined;
  } = {},
) {
  return new Batcher<number, number, Destination>({
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
    now: () => Date.now(),
    ...overrides,
  });
}

/** The test answers batches in any order. */
export function byHand() {
  const sent: Array<{
    items: number[];
    destination: Destination;
    answer: (outcomes: Outcome[]) => void;
    fail: (error: Error) => void;
  }> = [];
  const send = (items: number[], destination: Destination) =>
    new Promise<Outcome[]>((answer, fail) => {
      sent.push({ items, destination, answer, fail });
    });
  /** Answers the n-th batch and waits for the effects. */
  const answer = async (n: number, ...outcomes: Outcome[]) => {
    sent[n]?.answer(outcomes);
    await turns();
  };
  return { sent, send, answer, items: () => sent.map(({ items }) => items) };
}

/** One turn for answers to arrive, one for the batcher to send. */
export const turns = async () => {
  await turn();
  await turn();
};

/** Returns a function that returns the outcome so far. */
export const watch = (promise: Promise<number>) => {
  const outcome = promise.catch((error: Error) => error.message);
  return () => Promise.race([outcome, turns().then(() => 'pending')]);
};
