import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures } from '../figures.ts';
import { checkPoint, costsOf, type Measured, nodesOfRoom, PLAN, sizeCluster } from './model.ts';

/** The costs of a synthetic cluster, in µs. `node` and `redisIdle` are per second. */
const US = { message: 100, messageNode: 20, delivery: 3, node: 1_000, redis: 50, redisNode: 5, redisIdle: 2_000 };

function measuredOf(): Measured {
  const loads = [
    { name: 'quiet', clients: 500, rooms: 10, nodes: 2, nodesWithMembers: 2 },
    { name: 'busy', clients: 500, rooms: 2, nodes: 2, nodesWithMembers: 2 },
    { name: 'wide', clients: 500, rooms: 10, nodes: 8, nodesWithMembers: 8 },
    { name: 'check', clients: 500, rooms: 5, nodes: 4, nodesWithMembers: 4 },
    { name: 'spread', clients: 500, rooms: 2, nodes: 8, nodesWithMembers: 2 },
    { name: 'idle', clients: 1_000, rooms: 20, nodes: 1, nodesWithMembers: 1 },
    { name: 'connect', clients: 500, rooms: 10, nodes: 2, nodesWithMembers: 2 },
  ].map((load) => ({ ...load, title: '' }));
  const others: Record<string, Figures> = {
    idle: { idleCpuPercent: 1.1, kbPerConnection: 20 },
    connect: { gatewayUsPerConnection: 900, redisUsPerConnection: 30, presenceUsPerConnection: 10 },
  };
  const summaries = loads.map(({ name, clients, rooms, nodes: all, nodesWithMembers: nodes }) => ({
    load: name,
    variant: 'maru',
    runs: 3,
    voidRuns: 0,
    figures: others[name] ?? {
      messagesPerSecond: 100,
      gatewayUsPerMessage:
        US.message + US.messageNode * nodes + (US.delivery * clients) / rooms + (US.node * nodes) / 100,
      redisUsPerMessage: US.redis + US.redisNode * nodes + (US.redisIdle * all) / 100,
      ...(nodes < all ? { bystanderCpuPercent: US.node / 10_000 } : {}),
    },
  }));
  return { loads, summaries };
}

const near = (actual: number | undefined, expected: number) =>
  assert(actual !== undefined && Math.abs(actual - expected) < 1e-6, `${actual} for ${expected}`);

test('calculates the costs from measurements that were generated with them', () => {
  const costs = costsOf(measuredOf());
  near(costs.message, US.message);
  near(costs.messageNode, US.messageNode);
  near(costs.delivery, US.delivery);
  near(costs.redisMessage, US.redis);
  near(costs.redisMessageNode, US.redisNode);
  near(costs.redisNodePerSecond, US.redisIdle);
  near(costs.idlePerSecond, 10);
});

test('noise does not make a cost negative', () => {
  const measured = measuredOf();
  for (const { load, figures } of measured.summaries)
    if (load === 'wide' || load === 'spread') figures.redisUsPerMessage = 1;
  const costs = costsOf(measured);
  assert.deepEqual([costs.redisMessageNode, costs.redisNodePerSecond], [0, 0]);
  assert(
    sizeCluster(costs, { roomMembers: 50, secondsBetweenMessages: 30, connectionDurationS: 1_800 }, 1_000_000)
      .redisCores > 0,
  );
});

test('predicts the load `check`', () => {
  const measured = measuredOf();
  const check = checkPoint(costsOf(measured), measured);
  near(check?.gatewayUs.predicted, check?.gatewayUs.measured ?? 0);
  near(check?.redisUs.predicted, check?.redisUs.measured ?? 0);
});

test('the error names a load that was not measured', () => {
  const measured = measuredOf();
  const summaries = measured.summaries.filter(({ load }) => load !== 'wide');
  assert.throws(() => costsOf({ ...measured, summaries }), /wide/);
});

test('more connections never need fewer gateways, and no process exceeds its share of a core', () => {
  const costs = costsOf(measuredOf());
  const behaviour = { roomMembers: 50, secondsBetweenMessages: 30, connectionDurationS: 1_800 };
  let previous = 0;
  for (const connections of [1, 1_000, 10_000, 100_000, 1_000_000]) {
    const size = sizeCluster(costs, behaviour, connections);
    assert(size.gateways >= previous && size.gateways >= PLAN.gatewaysMin);
    assert(size.gatewayCores / (size.gateways - PLAN.spareGateways) <= PLAN.coreShareMax + 1e-9);
    assert(size.redisCores / size.redisShards <= PLAN.coreShareMax + 1e-9);
    previous = size.gateways;
  }
});

test('a room is on at most as many nodes as exist and as it has members', () => {
  near(nodesOfRoom(1, 50), 1);
  assert(nodesOfRoom(8, 50) <= 8);
  assert(nodesOfRoom(1_000, 50) <= 50);
});
