import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { reportedRoomsKey, roomReportsKey } from '../keys.ts';
import { type LogRig, startLogRig } from '../log/testing/log-rig.ts';
import { createReportedRooms } from './reported-rooms.ts';

let rig: LogRig;
before(async () => {
  rig = await startLogRig();
});
after(() => rig.stop());

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const reportIn = (room: string) => rig.admin.hset(roomReportsKey(room), '1\nmina', '{}');

test('administrators see no private or direct rooms in the list of reported rooms', async () => {
  const { note, list } = createReportedRooms({ store: singleStore(rig.admin), storeNow: () => 5, logger });
  for (const room of ['lobby', 'p-1', 'd-1', 'p-2']) await reportIn(room);
  for (const room of ['p-1', 'd-1', 'lobby']) note(room);
  assert.deepEqual(await list(10), [{ room: 'lobby', reports: 1, lastTs: 5 }]);
  assert.deepEqual(await rig.admin.zrevrange(reportedRoomsKey(), 0, -1), ['lobby']);
});

test('private rooms that an earlier release noted are removed, and do not shorten the list', async () => {
  const { list } = createReportedRooms({ store: singleStore(rig.admin), storeNow: () => 5, logger });
  await rig.admin.zadd(reportedRoomsKey(), 5, 'lobby', 8, 'p-2', 9, 'p-1', 10, 'd-1');
  assert.deepEqual(
    (await list(2)).map(({ room }) => room),
    ['lobby'],
  );
  assert.deepEqual(await rig.admin.zrevrange(reportedRoomsKey(), 0, -1), ['lobby']);
});
