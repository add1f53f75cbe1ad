import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RedisStore, singleStore } from '@maru/redis-store';
import { archiveDirtyKey } from '../keys.ts';
import { type LogRig, startLogRig } from '../log/testing/log-rig.ts';
import { createArchiveHints } from './hints.ts';

let rig: LogRig;
before(async () => {
  rig = await startLogRig();
});
after(() => rig.stop());

const scores = async () => {
  const flat = await rig.admin.zrange(archiveDirtyKey(), '0', '-1', 'WITHSCORES');
  return Object.fromEntries(flat.flatMap((room, index) => (index % 2 === 0 ? [[room, Number(flat[index + 1])]] : [])));
};

test('a room is hinted once, with the time since which it waits', async () => {
  let now = 1_000;
  const hints = createArchiveHints({ store: singleStore(rig.admin), storeNow: () => now, onFailed: assert.fail });
  for (const room of ['tea', 'milk', 'tea']) hints.note(room);
  await hints.stop();
  now = 2_000;
  for (const room of ['tea', 'rice']) hints.note(room);
  await hints.stop();
  assert.deepEqual(await scores(), { milk: 1_000, rice: 2_000, tea: 1_000 });
});

test('hints that the store rejected are counted and sent again', async () => {
  await rig.admin.flushall();
  let failures = 0;
  let failing = true;
  const working = singleStore(rig.admin);
  const store: RedisStore = {
    ...working,
    at: (key, command) => (failing ? Promise.reject(new Error('planted')) : working.at(key, command)),
  };
  const hints = createArchiveHints({ store, storeNow: () => 5, onFailed: () => failures++ });
  for (let n = 0; n < 2_500; n++) hints.note(`r${n}`);
  await hints.stop();
  assert.equal(failures, 3);
  failing = false;
  await hints.stop();
  assert.equal(await rig.admin.zcard(archiveDirtyKey()), 2_500);
});
