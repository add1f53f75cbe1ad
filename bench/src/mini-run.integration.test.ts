/** A short real run of each kind of server: that clients are served and counted exactly. What it measures is not looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChildren } from './children.ts';
import { loadsAt, type Pace, QUICK, type SteadyLoad } from './loads.ts';
import { runLoad } from './runs.ts';
import { withSite } from './site.ts';
import { findVariant } from './variants/variants.ts';

const PACE: Pace = { ...QUICK, warmUpMs: 200, measureMs: 600, restMs: 200 };
const busy = loadsAt(QUICK).find(({ name }) => name === 'busy') as SteadyLoad;
const load: SteadyLoad = { ...busy, clients: 24, rooms: 2, perSecond: 40 };

for (const name of ['maru', 'stock-sharded', 'stock-stored', 'floor'])
  test(`${name} serves the clients of the bench, and every delivery is counted`, async () => {
    const variant = findVariant(name);
    assert(variant !== undefined);
    const pids: number[] = [];
    const outcome = await withSite({ variant, load, children: createChildren() }, (site) => {
      pids.push(site.generator.pid, site.redisPid, ...site.servers.nodes.map(({ pid }) => pid));
      return runLoad(load, site, PACE);
    });
    assert.deepEqual(outcome.voidReasons, []);
    const { gatewayUsPerDelivery = 0, deliveryP50Ms = 0, redisUsPerMessage = 0 } = outcome.figures;
    assert(gatewayUsPerDelivery > 0 && deliveryP50Ms > 0 && redisUsPerMessage > 0);
    if (variant.stores) assert((outcome.storeCalls.xadd ?? 0) > 0, 'a variant that stores appends');
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, `${pid} still runs`);
  });
