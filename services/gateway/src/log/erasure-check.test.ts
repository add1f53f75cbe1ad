import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectRedis, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis } from '@maru/service-kit/testing';
import { forgetsErasedEntries } from './erasure-check.ts';

for (const [entries, forgets] of [
  ['1', true],
  ['100', false],
] as const)
  test(`with ${entries} entries in a stream node, the store ${forgets ? 'forgets' : 'keeps'} a deleted entry`, async () => {
    const server = await startTestRedis({ settings: { 'stream-node-max-entries': entries } });
    const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
    const redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'test', node: 'n', logger });
    try {
      if (redis.status !== 'ready') await new Promise((resolve) => redis.once('ready', resolve));
      assert.equal(await forgetsErasedEntries(singleStore(redis), 'n'), forgets);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });
