/** A short real run of each kind of server: that clients are served and counted exactly. What it measures is not looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadsAt, type Pace, QUICK, type SteadyLoad } from './loads.ts';
import { slotsOf } from './schedule.ts';
import { startRound } from './turns.ts';
import { findVariant, type Node, type Variant } from './variants/variants.ts';

const PACE: Pace = { ...QUICK, warmUpMs: 200, measureMs: 600, restMs: 200 };
/** The start and a slice each begin a little later than they are due. */
const TIMER_SLACK_MS = 250;
const NAMES = ['maru', 'stock-sharded', 'stock-stored', 'floor'];
const busy = loadsAt(QUICK).find(({ name }) => name === 'busy') as SteadyLoad;
const load: SteadyLoad = { ...busy, clients: 24, rooms: 2, perSecond: 40 };

test('each kind of server serves the clients of the bench in its turns, and every delivery is counted', async () => {
  const variants = NAMES.map((name) => findVariant(name) as Variant);
  const results = await startRound({ load, round: 0, variants, pace: PACE, onStep: () => {} }).results;
  assert.deepEqual(
    results.map(({ variant, voidReasons }) => [variant, voidReasons]),
    NAMES.map((name) => [name, []]),
  );
  for (const { variant, figures, storeCalls } of results) {
    const { gatewayUsPerDelivery = 0, deliveryP50Ms = 0, redisUsPerMessage = 0 } = figures;
    assert(gatewayUsPerDelivery > 0 && deliveryP50Ms > 0 && redisUsPerMessage > 0);
    if (findVariant(variant)?.stores) assert((storeCalls.xadd ?? 0) > 0, `${variant} appends`);
  }
});

/** The floor under another name; tells which of its processes started, and when each of its slices began. */
function spiedFloor(name: string, onStart: (pids: number[]) => void, onSlice: () => void): Variant {
  const floor = findVariant('floor') as Variant;
  return {
    ...floor,
    name,
    async start(context) {
      const servers = await floor.start(context);
      onStart(servers.nodes.map(({ pid }) => pid));
      // One of the nodes is enough to know.
      const [first, ...rest] = servers.nodes as [Node, ...Node[]];
      const ask: Node['probe']['ask'] = (probe) => {
        if (probe === 'watch') onSlice();
        return first.probe.ask(probe);
      };
      return { ...servers, nodes: [{ ...first, probe: { ask } }, ...rest] };
    },
  };
}

test('variants are measured in turns and at their times', async () => {
  const begun: Array<{ name: string; atMs: number }> = [];
  const variants = ['first', 'second'].map((name) =>
    spiedFloor(
      name,
      () => {},
      () => begun.push({ name, atMs: performance.now() }),
    ),
  );
  await startRound({ load, round: 0, variants, pace: PACE, onStep: () => {} }).results;
  const slots = slotsOf(load, variants.length, PACE);
  assert.deepEqual(
    begun.map(({ name }) => name),
    slots.map(({ turn }) => variants[turn]?.name),
  );
  for (const [index, { atMs }] of slots.entries()) {
    const afterMs = (begun[index]?.atMs ?? 0) - (begun[0]?.atMs ?? 0);
    assert(afterMs >= atMs - TIMER_SLACK_MS, `slice ${index} began after ${afterMs} ms, ${atMs} were due`);
  }
});

test('a variant that cannot start is the only one that does not count, and no process outlives a round', async () => {
  const pids: number[] = [];
  const watched = spiedFloor(
    'floor',
    (started) => pids.push(...started),
    () => {},
  );
  const broken: Variant = { ...watched, name: 'broken', start: () => Promise.reject(new Error('no such server')) };
  const round = startRound({ load, round: 0, variants: [broken, watched], pace: PACE, onStep: () => {} });
  const results = await round.results;
  assert.deepEqual(
    results.map(({ variant, voidReasons }) => [variant, voidReasons]),
    [
      ['broken', ['no such server']],
      ['floor', []],
    ],
  );
  assert.equal(pids.length, load.nodes);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, `${pid} still runs`);
});

test('a round that is broken off ends its processes at once, and says so', async () => {
  const pids: number[] = [];
  const floor = spiedFloor(
    'floor',
    (started) => pids.push(...started),
    () => {},
  );
  const round = startRound({
    load,
    round: 0,
    variants: [floor],
    pace: PACE,
    onStep: (step) => {
      // Within the slice, before the servers are asked for the first time.
      if (step.startsWith('measuring')) setTimeout(() => void round.abort(), 100);
    },
  });
  const [result] = await round.results;
  // Nobody waits for the answer of a process that is gone.
  assert.match(result?.voidReasons.join() ?? '', / ended/);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, `${pid} still runs`);
});
