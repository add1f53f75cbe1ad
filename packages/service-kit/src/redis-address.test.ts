import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedisAddress } from './redis-address.ts';

test('one server is passed on as it is', () => {
  assert.deepEqual(parseRedisAddress('rediss://maru:x@redis.example:6380/1'), {
    url: 'rediss://maru:x@redis.example:6380/1',
  });
});

test('Sentinels are listed, with the name of the primary and what it wants to be told', () => {
  const parsed = parseRedisAddress('redis+sentinel://maru:p%40ss@s1:26380,s2,10.0.0.3:26381/main?sentinelPassword=x');
  assert.ok('options' in parsed);
  const { sentinels, name, username, password, sentinelPassword, tls } = parsed.options;
  assert.deepEqual(sentinels, [
    { host: 's1', port: 26_380 },
    { host: 's2', port: 26_379 },
    { host: '10.0.0.3', port: 26_381 },
  ]);
  assert.deepEqual([name, username, password, sentinelPassword, tls], ['main', 'maru', 'p@ss', 'x', undefined]);
});

test('anything else is told what it must be', () => {
  for (const raw of ['', 'http://x', 'redis+sentinel://s1', 'redis+sentinel://s 1/main', 'localhost:6379']) {
    assert.throws(() => parseRedisAddress(raw), Error, raw);
  }
});
