/** A short real run of each kind of server: that clients are served and counted exactly. What it measures is not looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadsAt, type Pace, QUICK, type SteadyLoad } from './loads.ts';
import { startRound } from './turns.ts';
import { findVariant, type Variant } from './variants/variants.ts';

const PACE: Pace = { ...QUICK, warmUpMs: 200, measureMs: 600, restMs: 200 };
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

test('a variant that cannot start is the only one that does not count, and no process outlives a round', async () => {
  const floor = findVariant('floor') as Variant;
  const pids: number[] = [];
  const watched: Variant = {
    ...floor,
    async start(context) {
      const servers = await floor.start(context);
      pids.push(...servers.nodes.map(({ pid }) => pid));
      return servers;
    },
  };
  const broken: Variant = { ...floor, name: 'broken', start: () => Promise.reject(new Error('no such server')) };
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

test('a round that is broken off ends its processes and says so', async () => {
  const floor = findVariant('floor') as Variant;
  const round = startRound({
    load,
    round: 0,
    variants: [floor],
    pace: PACE,
    onStep: (step) => {
      if (step.startsWith('measuring')) setTimeout(() => void round.abort(), 100);
    },
  });
  const [result] = await round.results;
  assert.notDeepEqual(result?.voidReasons, []);
});
