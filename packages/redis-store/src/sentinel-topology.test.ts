import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import { type Opinion, primaryOf, SentinelTopology } from './sentinel-topology.ts';

const opinion = (primary: string, epoch: number, isPromoting = false): Opinion => ({
  primary,
  epoch,
  isPromoting,
  isCalm: !isPromoting,
});

test('the Sentinel with the newest configuration names the primary, the first one if they are equal', () => {
  assert.equal(primaryOf([opinion('old:1', 3), opinion('new:1', 4), opinion('old:1', 3)]), 'new:1');
  assert.equal(primaryOf([opinion('a:1', 3), opinion('b:1', 3)]), 'a:1');
});

test('there is no primary while a Sentinel promotes a replica', () => {
  assert.equal(primaryOf([opinion('old:1', 3), opinion('old:1', 3, true), opinion('old:1', 3)]), undefined);
});

/** A fake Sentinel. The test sets its answers. */
function fakeSentinel() {
  const state: { answers: boolean; fields: Record<string, string>; promoted: [ip: string, port: string] | undefined } =
    {
      answers: true,
      fields: { ip: '10.0.0.1', port: '6379', 'config-epoch': '1', flags: 'master' },
      promoted: undefined,
    };
  const call = async (_: string, question: string) => {
    if (!state.answers) throw new Error('no answer');
    const { ip, port } = state.fields;
    // A value may look like the name of a field.
    return question === 'MASTER'
      ? ['name', 'flags', ...Object.entries(state.fields).flat()]
      : (state.promoted ?? [ip, port]);
  };
  return { state, redis: { status: 'ready', call, disconnect: () => {} } as unknown as Redis };
}

function watchFakes(count: number) {
  const fakes = Array.from({ length: count }, fakeSentinel);
  const topology = new SentinelTopology({
    sentinels: fakes.map((_, index) => ({ host: 's', port: index })),
    name: 'flags',
    connect: ({ port }) => (fakes[port] as ReturnType<typeof fakeSentinel>).redis,
    logger: createLogger({ service: 'test', node: 'n', level: 'silent' }),
  });
  const changes: Array<string | undefined> = [];
  topology.onChange(() => changes.push(topology.ownerOf()));
  const until = async (primary: string | undefined) => {
    for (let tries = 0; topology.ownerOf() !== primary; tries++) {
      assert.ok(tries < 200, `${primary} is not the primary in time`);
      await pause(20);
    }
    assert.deepEqual([...topology.primaries], primary === undefined ? [] : [primary]);
    assert.equal(topology.isCovered, primary !== undefined);
  };
  return { states: fakes.map((fake) => fake.state), topology, changes, until };
}

test('during a failover there is no primary, then the new one that the leading Sentinel names', async () => {
  const { states, topology, changes, until } = watchFakes(3);
  const leader = states[2] as (typeof states)[0];
  try {
    await until('10.0.0.1:6379');
    Object.assign(leader.fields, { flags: 'master,o_down', 'failover-state': 'wait_promotion' });
    await until(undefined);
    Object.assign(leader.fields, { 'config-epoch': '2', 'failover-state': 'reconf_slaves' });
    leader.promoted = ['10.0.0.2', '6380'];
    await until('10.0.0.2:6380');
    await pause(400);
    assert.deepEqual(changes, ['10.0.0.1:6379', undefined, '10.0.0.2:6380']);
  } finally {
    topology.close();
  }
});

test('the last known primary stays while no Sentinel answers', async () => {
  const { states, topology, changes, until } = watchFakes(2);
  try {
    await until('10.0.0.1:6379');
    for (const state of states) state.answers = false;
    await pause(700);
    assert.deepEqual(changes, ['10.0.0.1:6379']);
    const back = states[1] as (typeof states)[0];
    back.answers = true;
    back.fields.ip = '10.0.0.9';
    await until('10.0.0.9:6379');
  } finally {
    topology.close();
  }
});
