/** Read positions and counts in a real Redis, against a plain count of the log. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '@maru/protocol';
import { singleStore } from '@maru/redis-store';
import { roomMentionsKey, roomMetaKey, roomReadsKey, roomRolesKey, roomSanctionsKey } from '../keys.ts';
import type { Change, RoomLog } from '../log/room-log.ts';
import { createSeenPositions } from '../log/seen-positions.ts';
import { type LogRig, publicRoom, startLogRig } from '../log/testing/log-rig.ts';
import type { ReadState, RoomSummary, Summary } from './read-state.ts';
import { createRedisReadState } from './redis-read-state.ts';

let rig: LogRig;
let log: RoomLog;
let state: ReadState;

before(async () => {
  rig = await startLogRig();
  log = await rig.node();
  state = createRedisReadState({ store: singleStore(rig.admin), seen: createSeenPositions({ roomsMax: 100 }) });
});
after(() => rig?.stop());

let ids = 0;
async function change(room: string, userId: string, what: Change): Promise<number> {
  const request = { room, userId, userName: userId, clientMsgId: `id-${++ids}`, isAdmin: false, mayStore: true };
  const result = await log.change({ ...request, change: what });
  assert(result.outcome === 'stored', JSON.stringify(result));
  return result.seq;
}
const send = (room: string, userId: string, ...mentions: string[]) =>
  change(room, userId, { type: 'send', text: 'hello', thread: undefined, mentions });

async function summaryOf(userId: string, room: string): Promise<RoomSummary> {
  const [summary] = (await state.summaries(userId, [room])) as [Summary];
  assert(typeof summary === 'object', `${room} is ${String(summary)}`);
  return summary;
}
const read = async (userId: string, room: string, seq: number) => {
  const move = await state.move(userId, room, seq, true);
  assert(move.outcome !== 'refused');
  return [move.outcome, move.data.seq, move.data.n, move.data.unread, move.data.mentions];
};

async function privateRoom(members: Record<string, string>): Promise<string> {
  const room = `p-${++ids}`;
  await rig.admin.hset(roomMetaKey(room), { epoch: '1.a', base: 0, visibility: 'private', title: 'Tea' });
  await rig.admin.hset(roomRolesKey(room), members);
  return room;
}

describe('a position', () => {
  test('never goes back, never goes above the head, and counts messages only', async () => {
    const room = await publicRoom(log);
    const first = await send(room, 'jun');
    await change(room, 'jun', { type: 'react', seq: first, emoji: '👍', active: true });
    const second = await send(room, 'jun');
    assert.deepEqual(await read('mina', room, 0), ['same', 0, 0, 2, 0]);
    assert.deepEqual(await read('mina', room, 2), ['new', 2, 1, 1, 0]);
    assert.deepEqual(await read('mina', room, 1), ['same', 2, 1, 1, 0]);
    assert.deepEqual(await read('mina', room, second), ['moved', 3, 2, 0, 0]);
    await assert.rejects(read('mina', room, 4), { code: 'invalid' });
    assert.deepEqual((await summaryOf('mina', room)).read, { seq: 3, n: 2, unread: 0, mentions: 0 });
  });

  test('counts the same at a deleted message and at a trimmed one', async () => {
    const room = await publicRoom(log);
    for (let sent = 0; sent < 3; sent++) await send(room, 'jun');
    await change(room, 'jun', { type: 'delete', seq: 2, reason: undefined });
    assert.deepEqual(await read('mina', room, 2), ['new', 2, 2, 1, 0]);
    // The first two entries are no longer kept.
    await rig.admin.hset(roomMetaKey(room), 'first', '3');
    assert.deepEqual(await read('kim', room, 1), ['new', 1, 2, 1, 0]);
  });

  test("is refused without quota only if it is the user's first one", async () => {
    const room = await publicRoom(log);
    await send(room, 'jun');
    await send(room, 'jun');
    assert.deepEqual(await state.move('mina', room, 1, false), { outcome: 'refused' });
    await read('mina', room, 1);
    assert.equal((await state.move('mina', room, 2, false)).outcome, 'moved');
  });

  test('is stored for a bounded number of users', async () => {
    const room = await publicRoom(log);
    await send(room, 'jun');
    const others = Array.from({ length: LIMITS.readPositionsPerRoomMax - 1 }, (_, index) => [`u${index}`, '1 1']);
    for (let at = 0; at < others.length; at += 10_000)
      await rig.admin.hset(roomReadsKey(room), Object.fromEntries(others.slice(at, at + 10_000)));
    await read('mina', room, 1);
    await assert.rejects(read('kim', room, 1), { code: 'conflict' });
    await assert.rejects(state.readers('mina', room), { code: 'conflict' });
  });

  test('is removed for former members when there are too many', async () => {
    const room = await privateRoom({ mina: 'owner', jun: 'member' });
    await send(room, 'mina');
    const former = Array.from({ length: 100 }, (_, index) => [`former-${index}`, '1 1']);
    await rig.admin.hset(roomReadsKey(room), { jun: '1 1', ...Object.fromEntries(former) });
    await read('mina', room, 1);
    assert.ok((await rig.admin.hlen(roomReadsKey(room))) <= 90);
    assert.deepEqual((await state.readers('mina', room)).map(({ user }) => user).sort(), ['jun', 'mina']);
  });
});

describe('mentions', () => {
  test('are counted above the position, for the user and for the room, but never the own ones', async () => {
    const room = await privateRoom({ mina: 'owner', jun: 'moderator', kim: 'member' });
    await send(room, 'jun', 'mina');
    await send(room, 'jun', 'mina', 'kim', 'stranger');
    await send(room, 'jun', '@room');
    await send(room, 'mina', '@room');
    await send(room, 'mina', 'mina');
    const counts = async () =>
      Promise.all(['mina', 'jun', 'kim'].map(async (user) => (await summaryOf(user, room)).read.mentions));
    assert.deepEqual(await counts(), [3, 1, 3]);
    assert.deepEqual(await read('mina', room, 2), ['new', 2, 2, 3, 1]);
    assert.deepEqual(await counts(), [1, 1, 3]);
    // Read mentions of the user are removed, those of others are not.
    const kept = await rig.admin.zrange(roomMentionsKey(room), '0', '-1');
    assert.deepEqual(
      kept.filter((member) => member.startsWith('m\nmina')),
      [],
    );
    assert.equal(kept.filter((member) => member.startsWith('m\nkim')).length, 1);
    await change(room, 'jun', { type: 'delete', seq: 3, reason: undefined });
    assert.deepEqual(await counts(), [0, 1, 2]);
  });

  test('do not confuse users whose ids begin alike, or seqs of different lengths', async () => {
    const room = await privateRoom({ a: 'owner', ab: 'member', 'a\\n': 'member' });
    for (let sent = 0; sent < 12; sent++) await send(room, 'ab', 'a');
    assert.deepEqual(await read('a', room, 9), ['new', 9, 9, 3, 3]);
    assert.equal((await summaryOf('ab', room)).read.mentions, 0);
  });
});

describe('a summary', () => {
  test('shows the current form of the newest message', async () => {
    const room = await privateRoom({ mina: 'owner', jun: 'member' });
    assert.equal((await summaryOf('mina', room)).last, undefined);
    const seq = await send(room, 'jun');
    await change(room, 'jun', { type: 'edit', seq, text: 'changed', mentions: undefined });
    for (let act = 0; act < 100; act++)
      await change(room, 'mina', { type: 'react', seq, emoji: '👍', active: act % 2 === 0 });
    await change(room, 'mina', { type: 'react', seq, emoji: '👍', active: true });
    const { last, n, head, title, role } = await summaryOf('mina', room);
    assert.deepEqual([last?.seq, last?.text, last?.reactions?.[0]?.mine], [seq, 'changed', true]);
    assert.deepEqual([n, head, title, role], [1, 103, 'Tea', 'owner']);
    await change(room, 'jun', { type: 'delete', seq, reason: undefined });
    const { last: gone } = await summaryOf('mina', room);
    assert.deepEqual([gone?.seq, gone?.text, gone?.erased], [seq, '', true]);
  });

  test('distinguishes a room without the user from a room that is hidden temporarily', async () => {
    const room = await privateRoom({ mina: 'owner' });
    await send(room, 'mina');
    assert.deepEqual(await state.summaries('stranger', [room, 'p-none', 'none']), ['gone', 'gone', 'gone']);
    const open = await publicRoom(log);
    await rig.admin.hset(roomMetaKey(open), 'guarded', '1');
    await rig.admin.hset(roomSanctionsKey(open), 'ban\nmina', '0\njun\n');
    assert.deepEqual(await state.summaries('mina', [open]), ['hidden']);
    await assert.rejects(state.move('mina', open, 0, true), { code: 'forbidden' });
    await assert.rejects(state.readers('mina', open), { code: 'forbidden' });
    await assert.rejects(state.move('stranger', room, 1, true), { code: 'not_found' });
    await assert.rejects(state.readers('stranger', room), { code: 'not_found' });
  });
});
