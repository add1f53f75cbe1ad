import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featuresOf, readGatewayConfig } from './config.ts';

const REQUIRED = {
  MARU_NODE: 'gateway-1',
  MARU_REDIS_URL: 'redis://localhost:6379',
  MARU_PRESENCE_URL: 'http://localhost:3100',
  MARU_INTERNAL_SECRET: 'a secret of at least 32 characters',
  MARU_JWT_SECRET: 'another secret of at least 32 characters',
};

test("the ping interval and the pong timeout fit into nginx's idle timeout", () => {
  const read = (interval: string, timeout: string) =>
    readGatewayConfig({ ...REQUIRED, MARU_PING_INTERVAL_MS: interval, MARU_PING_TIMEOUT_MS: timeout });
  assert.equal(read('35000', '20000').pingIntervalMs, 35_000);
  assert.throws(() => read('35001', '20000'), /MARU_PING_INTERVAL_MS and MARU_PING_TIMEOUT_MS/);
});

test('session features list guests and the archive only if they are enabled', () => {
  const features = (more: Record<string, string>) => featuresOf(readGatewayConfig({ ...REQUIRED, ...more }));
  assert.deepEqual(features({}), []);
  assert.deepEqual(features({ MARU_GUESTS: 'on', MARU_GUEST_SECRET: 'a third secret of at least 32 characters' }), [
    'guests',
  ]);
  assert.deepEqual(features({ MARU_POSTGRES_URL: 'postgres://maru@db/maru' }), ['archive']);
});
