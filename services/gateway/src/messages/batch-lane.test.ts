import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createBatchLane, SEND_AGAIN } from './batch-lane.ts';

type Outcome = number | Error | typeof SEND_AGAIN;
interface Place {
  name: string;
}

const ONLY: Place = { name: 'only' };

function lane(
  send: (items: number[], place: Place) => Promise<Outcome[]>,
  overrides: {
    depthMax?: number;
    deadlineMs?: number;
    onStuck?: (place: Place) => void;
    groupOf?: (item: number) => number;
    destinationOf?: (group: number) => Place | undefined;
  } = {},
) {
  return createBatchLane<number, number, Place>({
    send,
    groupOf: () => 0,
    destinationOf: () => ONLY,
    batchMax: 3,
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

test('items of one turn share batches, in order, one batch under way at a time', async () => {
  const batches: number[][] = [];
  let underWay = 0;
  const work = lane(async (items) => {
    assert.equal(++underWay, 1);
    batches.push(items);
    await pause(2);
    underWay--;
    return items.map((item) => item * 10);
  });
  assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((item) => work.submit(item))), [10, 20, 30, 40, 50]);
  assert.deepEqual(batches, [
    [1, 2, 3],
    [4, 5],
  ]);
  assert.equal(work.depth, 0);
});

test('an error of one item is its own; an error of the batch is everyones', async () => {
  const one = lane(async (items) => items.map((item) => (item === 2 ? new Error('two') : item)));
  const settled = await Promise.allSettled([1, 2, 3].map((item) => one.submit(item)));
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const all = lane(async () => {
    throw new Error('down');
  });
  await assert.rejects(all.submit(1), /down/);
  await assert.rejects(all.submit(1), /down/, 'the lane goes on after a failure');
});

test('what waits too long fails in time, is never sent, and a stuck batch is reported', async () => {
  const sent: number[] = [];
  let stuck = 0;
  let release = () => {};
  const work = lane(
    (items) => {
      sent.push(...items);
      return new Promise((resolve) => {
        release = () => resolve(items);
      });
    },
    { deadlineMs: 50, onStuck: () => stuck++ },
  );
  const first = assert.rejects(work.submit(1), /expired/);
  while (sent.length === 0) await pause(1);
  const second = assert.rejects(work.submit(2), /expired/);
  await Promise.all([first, second]);
  await pause(100);
  assert.ok(stuck >= 1);
  release();
  await pause(10);
  assert.deepEqual(sent, [1]);
  const third = work.submit(3);
  while (sent.length === 1) await pause(1);
  release();
  assert.equal(await third, 3);
});

test('more than the lane holds is refused at once', async () => {
  const work = lane(async (items) => items, { depthMax: 2 });
  const accepted = [work.submit(1), work.submit(2)];
  await assert.rejects(work.submit(3), /overflow/);
  assert.deepEqual(await Promise.all(accepted), [1, 2]);
});

test('what was not carried out is sent again before what came later', async () => {
  const done: number[] = [];
  let batches = 0;
  const work = lane(async (items) => {
    batches++;
    return items.map((item) => {
      if (item > 1 && batches < 3) return SEND_AGAIN;
      done.push(item);
      return item;
    });
  });
  const first = [1, 2, 3].map((item) => work.submit(item));
  while (batches === 0) await pause(1);
  const later = work.submit(4);
  await Promise.all([...first, later]);
  assert.deepEqual(done, [1, 2, 3, 4]);
  assert.equal(work.depth, 0);
});

test('an item that a later one of its group has overtaken is refused; those of other groups do not count', async () => {
  let isFirst = true;
  const work = lane(
    async (items) => {
      const results = items.map((item): Outcome => (isFirst && item < 3 ? SEND_AGAIN : item));
      isFirst = false;
      return results;
    },
    // 1 and 3 are of one group, 2 is of another.
    { groupOf: (item) => item % 2 },
  );
  const [one, two, three] = [1, 2, 3].map((item) => work.submit(item));
  await assert.rejects(one as Promise<number>, /overtaken/);
  assert.equal(await three, 3);
  assert.equal(await two, 2);
});

test('a place that hangs holds up only its own groups', async () => {
  const places: Place[] = [{ name: 'hangs' }, { name: 'works' }];
  const stuck: string[] = [];
  let wake = () => {};
  const asleep = new Promise<Outcome[]>((resolve) => {
    wake = () => resolve([0]);
  });
  const work = lane((items, place) => (place.name === 'hangs' ? asleep : Promise.resolve(items)), {
    groupOf: (item) => item % 2,
    destinationOf: (group) => places[group],
    deadlineMs: 50,
    onStuck: ({ name }) => stuck.push(name),
  });
  const hung = assert.rejects(work.submit(0), /expired/);
  for (const item of [1, 3, 5]) assert.equal(await work.submit(item), item);
  await hung;
  await pause(120);
  assert.ok(stuck.length > 0 && stuck.every((name) => name === 'hangs'));
  wake();
});

test('a group keeps its order over any number of moves, and waits while nobody knows where it belongs', async () => {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 100_000);
  let state = seed;
  const chance = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const places: Place[] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  const home = [0, 1, 2, 3].map(() => places[0] as Place);
  const done: number[][] = home.map(() => []);
  const mover = setInterval(() => {
    home[Math.floor(chance() * 4)] = places[Math.floor(chance() * 3)] as Place;
  }, 1);
  const work = lane(
    async (items, place) => {
      await pause(chance() * 4);
      return items.map((item) => {
        const group = item % 4;
        if (home[group] !== place) return SEND_AGAIN;
        done[group]?.push(item);
        return item;
      });
    },
    {
      groupOf: (item) => item % 4,
      destinationOf: (group) => (chance() < 0.1 ? undefined : home[group]),
      depthMax: 10_000,
      deadlineMs: 10_000,
    },
  );
  const results = [];
  for (let item = 0; item < 800; item++) {
    results.push(work.submit(item));
    if (item % 7 === 0) await pause(1);
  }
  // Moves become rare, so that every batch meets its group in the end.
  clearInterval(mover);
  const settled = await Promise.allSettled(results);
  const refused = new Set(settled.flatMap(({ status }, item) => (status === 'rejected' ? [item] : [])));
  for (const group of done) {
    assert.deepEqual(
      group,
      [...group].sort((a, b) => a - b),
      `seed ${seed}`,
    );
    assert.ok(
      group.every((item) => !refused.has(item)),
      `seed ${seed}`,
    );
  }
  assert.equal(done.flat().length + refused.size, 800, `seed ${seed}`);
});
