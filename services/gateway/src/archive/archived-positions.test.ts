/** Read positions at messages that have left the hot log. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { singleStore } from '@maru/redis-store';
import { withArchivedPositions } from '../inbox/archived-positions.ts';
import type { ReadState } from '../inbox/read-state.ts';
import { createRedisReadState } from '../inbox/redis-read-state.ts';
import { roomMetaKey, roomReadsKey } from '../keys.ts';
import { archiveUnavailable, type HistoryStore } from '../log/history-store.ts';
import type { RoomLog } from '../log/room-log.ts';
import { createSeenPositions } from '../log/seen-positions.ts';
import { message, publicRoom } from '../log/testing/log-rig.ts';
import { type ArchivedRig, startArchivedRig } from './testing/archived-rig.ts';

const COUNT = 100;
const KEPT = 20;

let rig: ArchivedRig;
let log: RoomLog;
let state: ReadState;
let calls = 0;
/** Happens before each call of the archive. */
let beforeCall: () => unknown = () => undefined;

before(async () => {
  rig = await startArchivedRig({ kept: KEPT });
  let history: HistoryStore | undefined;
  const through = (store: HistoryStore): HistoryStore => {
    history = {
      async readPage(...args) {
        calls += 1;
        await beforeCall();
        return store.readPage(...args);
      },
    };
    return history;
  };
  log = await rig.node({ history: through });
  assert(history !== undefined);
  const seen = createSeenPositions({ roomsMax: 100 });
  const hot = createRedisReadState({ store: singleStore(rig.admin), seen });
  state = withArchivedPositions(hot, { history, deadlineMs: 10_000, now: () => performance.now() });
});
after(() => rig?.stop());
beforeEach(() => {
  calls = 0;
  beforeCall = () => undefined;
});

/** A room of 100 messages, of which the hot log keeps the newest 20. The user has read 10. */
async function bigRoom(): Promise<string> {
  const room = await publicRoom(log);
  for (let n = 1; n <= COUNT; n++) await log.append(message(room, `m-${n}`));
  assert.deepEqual(await read(room, 10), ['new', 10, 10, 90]);
  await rig.copy(room, 10_000);
  await rig.trim(room);
  assert.equal(await rig.admin.hget(roomMetaKey(room), 'first'), '81');
  return room;
}

async function read(room: string, seq: number) {
  const move = await state.move('jun', room, seq, true);
  assert(move.outcome !== 'refused');
  return [move.outcome, move.data.seq, move.data.n, move.data.unread];
}

test('a position among archived messages has their number, and none of the messages above it is lost', async () => {
  const room = await bigRoom();
  assert.deepEqual(await read(room, 11), ['moved', 11, 11, 89]);
  assert.deepEqual(await read(room, 9), ['same', 11, 11, 89]);
  assert.equal(calls, 1);
  // What the hot log knows is not asked for.
  for (const seq of [80, 81, 100]) assert.deepEqual(await read(room, seq), ['moved', seq, seq, COUNT - seq]);
  assert.equal(calls, 1);
});

test('while the archive does not answer, the position stays where it was', async () => {
  const room = await bigRoom();
  beforeCall = () => {
    throw archiveUnavailable(new Error('planted'));
  };
  await assert.rejects(read(room, 11), { code: 'unavailable' });
  assert.equal(await rig.admin.hget(roomReadsKey(room), 'jun'), '10 10');
});

test('messages that the archive keeps no more count as read', async () => {
  const room = await bigRoom();
  await rig.archive.write((tx) => tx.query('UPDATE rooms SET first = 31 WHERE room = $1', [room]));
  assert.deepEqual(await read(room, 11), ['moved', 11, 30, 70]);
  await rig.admin.hset(roomMetaKey(room), 'archivedFrom', '31');
  assert.deepEqual(await read(room, 20), ['moved', 20, 30, 70]);
  assert.deepEqual(await read(room, 41), ['moved', 41, 41, 59]);
});

test('a number of an earlier epoch is not used', async () => {
  const room = await bigRoom();
  beforeCall = async () => {
    if (calls > 1) return;
    await rig.admin.hset(roomMetaKey(room), { epoch: '2.b', base: COUNT });
    await rig.copy(room, 10_000);
  };
  await assert.rejects(read(room, 11), { code: 'unavailable' });
  assert.deepEqual(await read(room, 11), ['moved', 11, 11, 89]);
  beforeCall = () => rig.admin.hset(roomMetaKey(room), 'epoch', `${calls}.c`);
  await assert.rejects(read(room, 12), { code: 'unavailable' });
});
