import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { SEND_AGAIN } from './batcher.ts';
import { createTestBatcher, type Destination, type Outcome, turns } from './testing/batcher-rig.ts';

test('items of one turn share batches in order, with one batch in flight at a time', async () => {
  const batches: number[][] = [];
  let underWay = 0;
  const work = createTestBatcher(
    async (items) => {
      assert.equal(++underWay, 1);
      batches.push(items);
      await pause(2);
      underWay--;
      return items.map((item) => item * 10);
    },
    { batchesInFlightMax: 1 },
  );
  assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((item) => work.submit(item))), [10, 20, 30, 40, 50]);
  assert.deepEqual(batches, [
    [1, 2, 3],
    [4, 5],
  ]);
  assert.equal(work.depth, 0);
});

test('the error of an item fails only that item; the error of a batch fails all its items', async () => {
  const one = createTestBatcher(async (items) => items.map((item) => (item === 2 ? new Error('two') : item)));
  const settled = await Promise.allSettled([1, 2, 3].map((item) => one.submit(item)));
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const all = createTestBatcher(async () => {
    throw new Error('down');
  });
  await assert.rejects(all.submit(1), /down/);
  await assert.rejects(all.submit(1), /down/, 'the batcher goes on after a failure');
});

test('items that wait too long fail in time and are never sent', async () => {
  const sent: number[] = [];
  let release = () => {};
  const work = createTestBatcher(
    (items) => {
      sent.push(...items);
      return new Promise((resolve) => {
        release = () => resolve(items);
      });
    },
    { batchesInFlightMax: 1, deadlineMs: 50 },
  );
  const first = assert.rejects(work.submit(1), /expired/);
  while (sent.length === 0) await pause(1);
  const second = assert.rejects(work.submit(2), /expired/);
  await Promise.all([first, second]);
  await pause(100);
  release();
  await pause(10);
  assert.deepEqual(sent, [1]);
  const third = work.submit(3);
  while (sent.length === 1) await pause(1);
  release();
  assert.equal(await third, 3);
});

test('items beyond the maximum are rejected at once', async () => {
  const work = createTestBatcher(async (items) => items, { depthMax: 2 });
  const accepted = [work.submit(1), work.submit(2)];
  await assert.rejects(work.submit(3), /overflow/);
  assert.deepEqual(await Promise.all(accepted), [1, 2]);
});

test('items that were not executed are sent again before later ones', async () => {
  const done: number[] = [];
  let batches = 0;
  const work = createTestBatcher(async (items) => {
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

test('an item that a later one of its group has overtaken is rejected; other groups do not matter', async () => {
  let isFirst = true;
  const work = createTestBatcher(
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

test('a hanging destination delays only its own groups', async () => {
  const destinations: Destination[] = [{ name: 'hangs' }, { name: 'works' }];
  let wake = () => {};
  const asleep = new Promise<Outcome[]>((resolve) => {
    wake = () => resolve([0]);
  });
  const work = createTestBatcher(
    (items, destination) => (destination.name === 'hangs' ? asleep : Promise.resolve(items)),
    {
      groupOf: (item) => item % 2,
      destinationOf: (group) => destinations[group],
      deadlineMs: 50,
    },
  );
  const hung = assert.rejects(work.submit(0), /expired/);
  for (const item of [1, 3, 5]) assert.equal(await work.submit(item), item);
  await hung;
  wake();
});

test('a group keeps its order across moves, concurrent batches, failures and late answers', async () => {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 100_000);
  const seedNote = `TEST_SEED=${seed}`;
  let state = seed;
  const chance = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const GROUPS = 4;
  const ITEMS = 2_000;
  const destinations: Destination[] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  const home: Array<Destination | undefined> = Array.from({ length: GROUPS }, () => destinations[0]);
  const groupOf = Array.from({ length: ITEMS }, () => Math.floor(chance() * GROUPS));
  const executed: number[][] = home.map(() => []);
  const mover = setInterval(() => {
    home[Math.floor(chance() * GROUPS)] = chance() < 0.1 ? undefined : destinations[Math.floor(chance() * 3)];
  }, 5);
  const execute = (item: number, destination: Destination): Outcome => {
    const group = groupOf[item] as number;
    if (home[group] !== destination || chance() < 0.03) return SEND_AGAIN;
    if (chance() < 0.02) return new Error('not done');
    executed[group]?.push(item);
    return chance() < 0.02 ? new Error('done') : item;
  };
  const last = new Map<Destination, Promise<unknown>>();
  let underWay = 0;
  let mostUnderWay = 0;
  const work = createTestBatcher(
    async (items, destination) => {
      mostUnderWay = Math.max(mostUnderWay, ++underWay);
      // A destination executes batches one after the other. Its answers arrive in any order.
      const taken = (last.get(destination) ?? Promise.resolve()).then(async () => {
        await pause(chance() * 2);
        return chance() < 0.02 ? undefined : items.map((item) => execute(item, destination));
      });
      last.set(destination, taken);
      const outcomes = await taken;
      await pause(chance() * 6);
      underWay--;
      if (outcomes === undefined || chance() < 0.02) throw new Error('down');
      return outcomes;
    },
    {
      groupOf: (item) => groupOf[item] as number,
      destinationOf: (group) => home[group],
      batchesInFlightMax: 3,
      depthMax: ITEMS,
      deadlineMs: 400,
    },
  );
  const results: Array<Promise<number>> = [];
  for (let item = 0; item < ITEMS; item++) {
    const result = work.submit(item);
    result.catch(() => {});
    results.push(result);
    if (chance() < 0.3) await pause(chance() * 3);
  }
  // Items with an unknown destination expire.
  const settled = await Promise.allSettled(results);
  clearInterval(mover);
  while (underWay > 0) await pause(1);
  await turns();
  assert.equal(work.depth, 0, seedNote);
  assert.ok(mostUnderWay > 3, seedNote);
  for (const items of executed) {
    assert.deepEqual(
      items,
      [...new Set(items)].sort((a, b) => a - b),
      `in order, each once: ${seedNote}`,
    );
  }
  const all = new Set(executed.flat());
  settled.forEach((result, item) => {
    if (result.status === 'fulfilled') assert.ok(result.value === item && all.has(item), seedNote);
    else if (/overtaken|not done/.test(String(result.reason))) assert.ok(!all.has(item), seedNote);
  });
  const counts = Map.groupBy(settled, (result) => (result.status === 'fulfilled' ? 'done' : String(result.reason)));
  assert.ok(
    ['done', 'Error: overtaken', 'Error: down', 'Error: done'].every((kind) => counts.has(kind)),
    seedNote,
  );
});
