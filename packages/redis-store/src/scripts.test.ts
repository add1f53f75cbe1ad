import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { connectRedis, waitUntilReady } from './connect.ts';
import { loadScript, runScript } from './scripts.ts';
import { singleStore } from './store.ts';

const READ = loadScript(new URL('./testing/read.lua', import.meta.url));

let server: TestRedis;
before(async () => {
  server = await startTestRedis();
});
after(() => server.stop());

it('a read-only script needs only the right to read its keys', async () => {
  const logger = createLogger({ service: 'test', node: 'test', level: 'silent' });
  const redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'test', node: 'test', logger });
  assert.ok(await waitUntilReady(redis, 5_000));
  await redis.set('k', 'v');
  await redis.call('ACL', 'SETUSER', 'default', 'resetkeys', '%R~*');
  await assert.rejects(redis.set('k', 'w'), /NOPERM/);
  for (const how of ['by its source', 'by its hash'])
    assert.equal(await runScript(singleStore(redis), READ, ['k'], []), 'v', how);
  redis.disconnect();
});
