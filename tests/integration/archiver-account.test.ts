/** Every script of the archiver runs with the account that the archiver has. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openRedis, type RedisSource, type RedisStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { renderRedisAcl } from '../../deploy/redis/render.ts';
import { createRoomQueue } from '../../services/archiver/src/store/room-queue.ts';
import { createRoomStore } from '../../services/archiver/src/store/room-store.ts';
import { SCRIPTS } from '../../services/archiver/src/store/scripts.ts';

const PASSWORD = 'password-of-the-archiver';
const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
let server: TestRedis;
let source: RedisSource;
let store: RedisStore;

before(async () => {
  server = await startTestRedis();
  const acl = renderRedisAcl({ adminPassword: 'a', maruPassword: 'b', archiverPassword: PASSWORD });
  const rule = /^user archiver (.*)$/m.exec(acl)?.[1] ?? assert.fail('no account');
  const owner = openRedis(server.url, { node: 'n', logger });
  const admin = owner.open('admin', 2_000);
  assert(await admin.untilReady(10_000));
  await admin.at('x', (redis) => redis.call('ACL', 'SETUSER', 'archiver', ...rule.split(' ')));
  await admin.at('x', (redis) => redis.hset('maru:{tea}:meta', 'epoch', '1.a'));
  await admin.close();
  owner.close();
  source = openRedis(server.url.replace('redis://', `redis://archiver:${PASSWORD}@`), { node: 'n', logger });
  store = source.open('archiver', 2_000);
  assert(await store.untilReady(10_000));
});
after(async () => {
  await store?.close();
  source?.close();
  await server?.stop();
});

test('the scripts about rooms and about the queue', async () => {
  const rooms = createRoomStore(store);
  assert.equal((await rooms.read('tea', 0, { entriesMax: 10, bytesMax: 1_000 }))?.epoch, '1.a');
  assert.equal((await rooms.look('tea')).epoch, '1.a');
  const mark = { epoch: '1.a', position: 5, archivedFrom: 3, restoredFrom: undefined, hotFirst: 3 };
  assert.equal(await rooms.mark('tea', mark), true);
  const queue = createRoomQueue(store, { claimMs: 1_000 });
  await queue.add(['tea']);
  assert.deepEqual(
    (await queue.claim('a', [], 5)).map(({ room }) => room),
    ['tea'],
  );
  await queue.release('a', [{ room: 'tea', since: 0 }]);
  assert.equal((await queue.state()).rooms, 0);
  await queue.askForTrim(['tea']);
  assert.equal(await queue.holdScan('a', 1_000), true);
  // A new script belongs in this test.
  assert.equal(Object.keys(SCRIPTS).length, 9);
});
