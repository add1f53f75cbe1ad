/** Limits of sign-in attempts, on a real Redis. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openRedis, type RedisStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { signInFailuresKey } from '../keys.ts';
import { type Attempts, createAttempts, networkOf } from './attempts.ts';

const silent = createLogger({ service: 'test', node: 'n', level: 'silent' });
const HOME = '192.0.2.1';
const OFFICE = '198.51.100.7';
const elsewhere = (n: number) => `203.0.113.${n}`;

let server: TestRedis;
let source: ReturnType<typeof openRedis>;
let store: RedisStore;
let attempts: Attempts;
before(async () => {
  server = await startTestRedis();
  source = openRedis(server.url, { node: 'n', logger: silent, onSilent() {} });
  store = source.open('control', 5_000);
  assert(await store.untilReady(10_000));
  const limits = { freeFailures: 5, waitMaxMs: 60_000, addressBurst: 300, addressPerMinute: 60 };
  attempts = createAttempts({ store, limits, secret: 'a secret' });
});
after(async () => {
  await store.close();
  source.close();
  await server.stop();
});
beforeEach(() => store.at('maru:x', (redis) => redis.flushall()));

/** Fails an attempt. Returns 0, or the milliseconds to wait if the attempt is not allowed. */
const fail = async (name: string, address: string): Promise<number> => {
  const begun = await attempts.beginByName(name, address);
  return typeof begun === 'number' ? begun : 0;
};
const enter = async (name: string, address: string): Promise<boolean> => {
  const begun = await attempts.beginByName(name, address);
  if (typeof begun === 'number') return false;
  await begun.succeeded();
  return true;
};
/** Returns the number of allowed attempts. */
const flood = async (name: (n: number) => string, address: (n: number) => string, count: number): Promise<number> => {
  const waits = await Promise.all(Array.from({ length: count }, (_, n) => fail(name(n), address(n))));
  return waits.filter((waitMs) => waitMs === 0).length;
};

describe('an account at one address', () => {
  test('fails five times, then waits twice as long after each failure, up to a minute', async () => {
    for (let n = 0; n < 5; n++) assert.equal(await fail('mina', HOME), 0);
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      const waitMs = await fail('mina', HOME);
      waits.push(Math.round(waitMs / 1_000));
      // The wait is over, and the next attempt fails.
      await store.at(signInFailuresKey(), async (redis) => {
        const [[pair, value] = ['', '']] = Object.entries(await redis.hgetall(signInFailuresKey()));
        await redis.hset(signInFailuresKey(), pair, `${value.split(' ')[0]} ${Number(value.split(' ')[1]) - waitMs}`);
      });
      assert.equal(await fail('mina', HOME), 0);
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test('gains nothing from concurrent attempts', async () => {
    const begun = await flood(
      () => 'mina',
      () => HOME,
      100,
    );
    assert.equal(begun, 5);
  });

  test('starts again after a success, and a directory that does not answer does not count as a failure', async () => {
    for (let n = 0; n < 4; n++) assert.equal(await fail('mina', HOME), 0);
    assert.equal(await enter('mina', HOME), true);
    for (let n = 0; n < 20; n++) {
      const begun = await attempts.beginByName('mina', HOME);
      assert(typeof begun !== 'number', `attempt ${n}`);
      await begun.undone();
    }
    for (let n = 0; n < 5; n++) assert.equal(await fail('mina', HOME), 0);
    assert.ok((await fail('mina', HOME)) > 0);
  });

  test('is one account, regardless of the spelling of its name and of which of its names is used', async () => {
    const spellings = ['mina', 'MINA', ' mina', 'mi\u200bna', 'ｍｉｎａ', 'mína', 'mi na'];
    const waits = [];
    for (const name of spellings) waits.push((await fail(name, HOME)) > 0);
    assert.deepEqual(waits, [false, false, false, false, false, true, true]);
    for (let n = 0; n < 5; n++) assert.notEqual(typeof (await attempts.beginById('id-1', HOME)), 'number');
    assert.equal(typeof (await attempts.beginById('id-1', HOME)), 'number');
  });
});

test("one attacker locks a person out only at the attacker's address", async () => {
  for (let n = 0; n < 50; n++) await fail('mina', elsewhere(1));
  assert.equal(await enter('mina', HOME), true);
});

test('many attackers cannot lock a person out at an address where the person signed in before', async () => {
  assert.equal(await enter('mina', HOME), true);
  const begun = await flood(
    () => 'mina',
    (n) => elsewhere(n % 200),
    1_000,
  );
  assert.equal(begun, 20);
  assert.equal(await enter('mina', elsewhere(250)), false);
  for (let n = 0; n < 3; n++) assert.equal(await enter('mina', HOME), true);
});

describe('an office behind one address', () => {
  test('can sign in for the first time, even if everyone makes a mistake', async () => {
    for (let n = 0; n < 250; n++) assert.equal(await fail(`person-${n}`, OFFICE), 0);
    for (let n = 0; n < 250; n++) assert.equal(await enter(`person-${n}`, OFFICE), true, `person-${n}`);
  });

  test('is not affected if one machine in it floods one account', async () => {
    const begun = await flood(
      () => 'victim',
      () => OFFICE,
      2_000,
    );
    assert.equal(begun, 5);
    for (let n = 0; n < 250; n++) assert.equal(await enter(`person-${n}`, OFFICE), true, `person-${n}`);
  });

  test('is not affected if one machine in it tries all names, except for users new to the address', async () => {
    for (let n = 0; n < 50; n++) assert.equal(await enter(`person-${n}`, OFFICE), true);
    const begun = await flood(
      (n) => `name-${n}`,
      () => OFFICE,
      1_000,
    );
    assert.ok(begun >= 300 && begun < 330, String(begun));
    for (let n = 0; n < 50; n++) assert.equal(await enter(`person-${n}`, OFFICE), true, `person-${n}`);
    assert.equal(await enter('new', OFFICE), false);
    assert.equal(await enter('new', HOME), true);
  });
});

test('stored data expires and contains no names', async () => {
  await enter('mina', HOME);
  for (let n = 0; n < 3; n++) await fail('mina', elsewhere(n));
  await store.at('maru:x', async (redis) => {
    const keys = await redis.keys('*');
    assert.equal(keys.length, 4, keys.join());
    for (const key of keys) assert.ok((await redis.pttl(key)) > 0, key);
    const dump = JSON.stringify([
      keys,
      await redis.hgetall(signInFailuresKey()),
      await Promise.all(keys.map((key) => redis.type(key))),
    ]);
    assert.doesNotMatch(dump, /mina|192\.0\.2/);
  });
});

test('an address is an IPv4 address, or the network of an IPv6 address', () => {
  const networks = ['192.0.2.1', '::ffff:192.0.2.1', '2001:DB8:0:1::5', '2001:db8::1:0:0:0:9', '::1', 'fe80::1%eth0'];
  assert.deepEqual(networks.map(networkOf), [
    ...['192.0.2.1', '192.0.2.1', '2001:db8:0:1', '2001:db8:0:1', '0:0:0:0', 'fe80:0:0:0'],
  ]);
});
