/** Short real runs with each kind of server. They check the counting, not the measured values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadsAt, type Pace, QUICK, type SteadyLoad } from './loads.ts';
import { startRound } from './round.ts';
import { slotsOf } from './schedule.ts';
import { findVariant, type Node, type Variant } from './variants/variants.ts';

const PACE: Pace = { ...QUICK, warmUpMs: 200, measureMs: 600, restMs: 200 };
/** The first slice may start this much later than planned, which brings the others closer to it. */
const TIMER_SLACK_MS = 250;
const NAMES = ['maru', 'stock-sharded', 'stock-stored', 'floor'];
const busy = loadsAt(QUICK).find(({ name }) => name === 'busy') as SteadyLoad;
const load: SteadyLoad = { ...busy, clients: 24, rooms: 2, perSecond: 40 };

test('counts every delivery of each kind of server, measured in turns', async () => {
  const variants = NAMES.map((name) => findVariant(name) as Variant);
  const results = await startRound({ load, round: 0, variants, pace: PACE, onStep: () => {} }).results;
  assert.deepEqual(
    results.map(({ variant, voidReasons }) => [variant, voidReasons]),
    NAMES.map((name) => [name, []]),
  );
  for (const { variant, figures, storeCalls } of results) {
    const { gatewayUsPerDelivery = 0, deliveryP50Ms = 0, redisUsPerMessage = 0 } = figures;
    assert(gatewayUsPerDelivery > 0 && deliveryP50Ms > 0 && redisUsPerMessage > 0);
    if (findVariant(variant)?.stores) assert((storeCalls.xadd ?? 0) > 0, `${variant} stores messages`);
  }
});

/** The floor with another name. Reports the processes it started and the start of each slice. */
function observedFloor(name: string, onStart: (pids: number[]) => void, onSlice: () => void): Variant {
  const floor = findVariant('floor') as Variant;
  return {
    ...floor,
    name,
    async start(context) {
      const servers = await floor.start(context);
      onStart(servers.nodes.map(({ pid }) => pid));
      // Every node receives the same requests, so the first one is enough.
      const [first, ...rest] = servers.nodes as [Node, ...Node[]];
      const request: Node['probe']['request'] = (probe) => {
        if (probe === 'watch') onSlice();
        return first.probe.request(probe);
      };
      return { ...servers, nodes: [{ ...first, probe: { request } }, ...rest] };
    },
  };
}

test('measures the variants in turns at the planned times', async () => {
  const slices: Array<{ name: string; atMs: number }> = [];
  const variants = ['first', 'second'].map((name) =>
    observedFloor(
      name,
      () => {},
      () => slices.push({ name, atMs: performance.now() }),
    ),
  );
  await startRound({ load, round: 0, variants, pace: PACE, onStep: () => {} }).results;
  const slots = slotsOf(load, variants.length, PACE);
  assert.deepEqual(
    slices.map(({ name }) => name),
    slots.map(({ turn }) => variants[turn]?.name),
  );
  for (const [index, { atMs }] of slots.entries()) {
    const afterMs = (slices[index]?.atMs ?? 0) - (slices[0]?.atMs ?? 0);
    assert(afterMs >= atMs - TIMER_SLACK_MS, `slice ${index} began after ${afterMs} ms instead of ${atMs} ms`);
  }
});

test('a variant that cannot start does not void the others, and a round ends all its processes', async () => {
  const pids: number[] = [];
  const healthy = observedFloor(
    'floor',
    (started) => pids.push(...started),
    () => {},
  );
  const broken: Variant = { ...healthy, name: 'broken', start: () => Promise.reject(new Error('no such server')) };
  const round = startRound({ load, round: 0, variants: [broken, healthy], pace: PACE, onStep: () => {} });
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

test('an aborted round ends its processes at once and is void', async () => {
  const pids: number[] = [];
  const floor = observedFloor(
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
      // During the first slice, before the first request to the servers.
      if (step.startsWith('measuring')) setTimeout(() => void round.abort(), 100);
    },
  });
  const [result] = await round.results;
  // The run fails at once instead of waiting for an answer.
  assert.match(result?.voidReasons.join() ?? '', / ended/);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, `${pid} still runs`);
});
