import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import { type Opinion, primaryOf, watchSentinels } from './sentinels.ts';

const opinion = (primary: string, epoch: number, isPromoting = false): Opinion => ({
  primary,
  epoch,
  isPromoting,
  isCalm: !isPromoting,
});

test('the primary is who the Sentinel with the newest configuration says, the first one named where they are equal', () => {
  assert.equal(primaryOf([opinion('old:1', 3), opinion('new:1', 4), opinion('old:1', 3)]), 'new:1');
  assert.equal(primaryOf([opinion('a:1', 3), opinion('b:1', 3)]), 'a:1');
});

test('there is none while any Sentinel makes a replica the primary', () => {
  assert.equal(primaryOf([opinion('old:1', 3), opinion('old:1', 3, true), opinion('old:1', 3)]), undefined);
});

/** A Sentinel that says what it is told to, or nothing. */
function fakeSentinel() {
  const says: { answers: boolean; fields: Record<string, string>; promoted: [ip: string, port: string] | undefined } = {
    answers: true,
    fields: { ip: '10.0.0.1', port: '6379', 'config-epoch': '1', flags: 'master' },
    promoted: undefined,
  };
  const call = async (_: string, question: string) => {
    if (!says.answers) throw new Error('no answer');
    const { ip, port } = says.fields;
    // A value may be spelled as a field is.
    return question === 'MASTER'
      ? ['name', 'flags', ...Object.entries(says.fields).flat()]
      : (says.promoted ?? [ip, port]);
  };
  return { says, redis: { status: 'ready', call, disconnect: () => {} } as unknown as Redis };
}

function watchFakes(count: number) {
  const fakes = Array.from({ length: count }, fakeSentinel);
  const topology = watchSentinels({
    sentinels: fakes.map((_, index) => ({ host: 's', port: index })),
    name: 'flags',
    connect: ({ port }) => (fakes[port] as ReturnType<typeof fakeSentinel>).redis,
    logger: createLogger({ service: 'test', node: 'n', level: 'silent' }),
  });
  const changes: Array<string | undefined> = [];
  topology.onChange(() => changes.push(topology.ownerOf(0)));
  const until = async (primary: string | undefined) => {
    for (let tries = 0; topology.ownerOf(0) !== primary; tries++) {
      assert.ok(tries < 200, `${primary} is not the primary in time`);
      await pause(20);
    }
    assert.deepEqual([...topology.primaries], primary === undefined ? [] : [primary]);
    assert.equal(topology.isCovered, primary !== undefined);
  };
  return { says: fakes.map((fake) => fake.says), topology, changes, until };
}

test('a failover as one Sentinel leads it: no primary, then the new one, though the others have not heard', async () => {
  const { says, topology, changes, until } = watchFakes(3);
  const leader = says[2] as (typeof says)[0];
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

test('what they said last holds while no Sentinel answers', async () => {
  const { says, topology, changes, until } = watchFakes(2);
  try {
    await until('10.0.0.1:6379');
    for (const one of says) one.answers = false;
    await pause(700);
    assert.deepEqual(changes, ['10.0.0.1:6379']);
    const back = says[1] as (typeof says)[0];
    back.answers = true;
    back.fields.ip = '10.0.0.9';
    await until('10.0.0.9:6379');
  } finally {
    topology.close();
  }
});
