import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedisAddress } from './address.ts';

test('one server keeps its URL', () => {
  assert.deepEqual(parseRedisAddress('rediss://maru:x@redis.example:6380/1'), {
    url: 'rediss://maru:x@redis.example:6380/1',
  });
});

test('Sentinels are parsed with the name of the primary and the credentials', () => {
  const address = 'redis+sentinel://maru:p%40ss@s1:26380,s2,10.0.0.3:26381/main?sentinelPassword=x';
  const sentinels = [
    { host: 's1', port: 26_380 },
    { host: 's2', port: 26_379 },
    { host: '10.0.0.3', port: 26_381 },
  ];
  const login = { username: 'maru', password: 'p@ss' };
  assert.deepEqual(parseRedisAddress(address), {
    sentinel: { sentinels, name: 'main', login, sentinelLogin: { password: 'x' } },
  });
  assert.deepEqual(parseRedisAddress('rediss+sentinel://s1:26380/main'), {
    sentinel: { sentinels: sentinels.slice(0, 1), name: 'main', login: { tls: {} }, sentinelLogin: { tls: {} } },
  });
});

test('nodes of a Cluster are parsed with the credentials', () => {
  assert.deepEqual(parseRedisAddress('redis+cluster://maru:p%40ss@n1:7000,n2,[::1]:7002'), {
    cluster: {
      seeds: [
        { host: 'n1', port: 7000 },
        { host: 'n2', port: 6379 },
        { host: '::1', port: 7002 },
      ],
      login: { username: 'maru', password: 'p@ss' },
    },
  });
  assert.deepEqual(parseRedisAddress('rediss+cluster://n1/'), {
    cluster: { seeds: [{ host: 'n1', port: 6379 }], login: { tls: {} } },
  });
});

test('anything else is refused', () => {
  for (const raw of [
    '',
    'http://x',
    'redis+sentinel://s1',
    'redis+sentinel://s 1/main',
    'localhost:6379',
    'redis+cluster://',
    'redis+cluster://n 1',
    'redis+cluster://n1/0',
  ]) {
    assert.throws(() => parseRedisAddress(raw), Error, raw);
  }
});
