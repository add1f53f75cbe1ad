/** Unread counts on two gateways: counts are exact, and positions agree on all devices. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { InboxEvent, MyRoom, Receipt } from '@maru/protocol';
import { userRoomListKey } from '../../services/gateway/src/keys.ts';
import { onNode } from '../faults/store.ts';
import type { TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { codeOf, type ModerationRig, message, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;

before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

const mine = async (client: TestClient): Promise<MyRoom[]> => (await client.ok('rooms:mine', {})).rooms;
const roomOf = async (client: TestClient, room: string) => (await mine(client)).find((one) => one.room === room);
const countsOf = async (client: TestClient, room: string) => {
  const { read, unread, mentions } = (await roomOf(client, room)) as MyRoom;
  return [read.seq, read.n, unread, mentions];
};
const reads = (client: TestClient, room: string) =>
  client.payloads<InboxEvent>('inbox').filter((event) => event.type === 'read' && event.room === room);

describe('the rooms of a user', () => {
  test('contain those of which the user is a member, and followed public ones', async () => {
    const { room, owner, member, memberId } = await rig.privateRoom();
    const open = newRoom('followed');
    await owner.ok('room:create', { room: open, title: 'Open' });
    await owner.ok('message:send', message(room));
    assert.deepEqual(
      (await mine(member)).map((one) => one.room),
      [room],
    );
    await member.ok('room:follow', { room: open, active: true, notify: 'mentions' });
    const [followed, own] = await mine(member);
    assert.deepEqual([followed?.room, followed?.title, followed?.visibility], [open, 'Open', 'public']);
    assert.deepEqual([followed?.role, followed?.notify, followed?.last], ['member', 'mentions', undefined]);
    assert.deepEqual([own?.room, own?.role, own?.n, own?.unread, own?.last?.text], [room, 'member', 1, 1, 'x']);
    await member.ok('room:follow', { room: open, active: false });
    await member.ok('room:follow', { room, active: true, notify: 'none' });
    assert.deepEqual(
      (await mine(member)).map((one) => [one.room, one.notify]),
      [[room, 'none']],
    );
    assert.equal(await codeOf(member, 'room:follow', { room, active: false }), 'invalid');
    assert.equal(await codeOf(member, 'room:follow', { room: 'p-unknown', active: true }), 'not_found');
    assert.equal(await codeOf(member, 'room:follow', { room: 'never-made', active: true }), 'not_found');
    await owner.ok('room:kick', { room, user: memberId });
    assert.deepEqual(await mine(member), []);
  });

  test('are read in pages, without deleted ones', async () => {
    const client = await rig.clientOf(`many-${newId()}`);
    const rooms: string[] = [];
    for (let made = 0; made < 7; made++) rooms.push((await client.ok('room:create', { visibility: 'private' })).room);
    rooms.sort();
    const [gone] = rooms.splice(3, 1);
    await client.ok('room:delete', { room: gone as string });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.ok('rooms:mine', { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      assert.ok(page.rooms.length <= 2);
      seen.push(...page.rooms.map(({ room }) => room));
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen, rooms);
  });

  test('contain the other user of a direct room', async () => {
    const [a, b] = [`a-${newId()}`, `b-${newId()}`];
    const [one, two] = [await rig.clientOf(a), await rig.clientOf(b, 1)];
    const { room } = await one.ok('room:create', { visibility: 'direct', user: b });
    assert.equal((await roomOf(one, room))?.with, b);
    assert.equal((await roomOf(two, room))?.with, a);
    assert.equal((await roomOf(two, room))?.visibility, 'direct');
  });

  test('of an earlier release are listed when a member joins', async () => {
    const { room, memberId } = await rig.privateRoom();
    await onNode(rig.redisUrl, (redis) => redis.del(userRoomListKey(memberId)));
    const back = await rig.clientOf(memberId, 0);
    assert.deepEqual(await mine(back), []);
    await back.ok('room:join', { room });
    await poll('the room', async () => (await roomOf(back, room)) !== undefined);
  });
});

describe('a read position', () => {
  test('gives exact counts, never goes back, and is the same on all devices', async () => {
    const { room, owner, member, memberId } = await rig.privateRoom();
    const device = await rig.clientOf(memberId, 0);
    const { head } = await owner.ok('room:join', { room });
    const sent: number[] = [];
    for (const mentions of [[memberId], undefined, ['@room'], [memberId]])
      sent.push((await owner.ok('message:send', { ...message(room), ...(mentions ? { mentions } : {}) })).seq);
    assert.deepEqual(await countsOf(member, room), [0, 0, 4, 3]);
    const second = sent[1] as number;
    assert.deepEqual(await member.ok('room:read', { room, seq: second }), {
      seq: second,
      n: 2,
      unread: 2,
      mentions: 2,
    });
    assert.deepEqual(await device.ok('room:read', { room, seq: head }), { seq: second, n: 2, unread: 2, mentions: 2 });
    for (const client of [member, device]) assert.deepEqual(await countsOf(client, room), [second, 2, 2, 2]);
    assert.equal(await codeOf(member, 'room:read', { room, seq: head + 5 }), 'invalid');
    // The first event may come before the device's channel is subscribed.
    await poll('the other device', async () => {
      if (reads(device, room).length > 0) return true;
      const { seq } = await owner.ok('message:send', message(room));
      await member.ok('room:read', { room, seq });
      return false;
    });
    const position = reads(device, room).at(-1);
    assert(position?.type === 'read');
    assert.deepEqual(await countsOf(device, room), [position.seq, position.n, position.unread, position.mentions]);
  });

  test('counts own messages like others: unread is n minus the n of the position', async () => {
    const { room, owner, ownerId } = await rig.privateRoom();
    await owner.ok('message:send', { ...message(room), mentions: [ownerId] });
    const { n } = await owner.ok('message:send', { ...message(room), mentions: ['@room'] });
    const summary = await roomOf(owner, room);
    assert.deepEqual([summary?.unread, summary?.mentions], [n, 0]);
  });

  test('is refused for users who may not read', async () => {
    const { room, owner, member, memberId } = await rig.publicRoom();
    await owner.ok('message:send', message(room));
    await member.ok('room:follow', { room, active: true });
    await owner.ok('room:ban', { room, user: memberId });
    for (const event of ['room:read', 'room:readers', 'room:follow'])
      assert.equal(await codeOf(member, event, { room, seq: 1, active: true }), 'forbidden', event);
    assert.deepEqual(await mine(member), []);
    await owner.ok('room:unban', { room, user: memberId });
    assert.equal((await mine(member)).length, 1);
    const stranger = await rig.clientOf(`stranger-${newId()}`);
    const { room: hidden } = await owner.ok('room:create', { visibility: 'private' });
    for (const event of ['room:read', 'room:readers', 'room:follow'])
      assert.equal(await codeOf(stranger, event, { room: hidden, seq: 0, active: true }), 'not_found', event);
  });
});

test('receipts of one second arrive together, at members who have joined, on each node', async () => {
  const { room, owner, member, ownerId, memberId } = await rig.privateRoom();
  const receipts = (client: TestClient) =>
    client.received.filter(({ name, payload }) => name === 'receipt' && (payload as Receipt).room === room);
  const outsider = await rig.clientOf(`outsider-${newId()}`);
  let seq = 0;
  for (let sent = 0; sent < 6; sent++) {
    seq = (await owner.ok('message:send', message(room))).seq;
    await owner.ok('room:read', { room, seq });
  }
  await member.ok('room:read', { room, seq });
  const newest = (client: TestClient) => {
    const seen = new Map<string, number>();
    for (const { payload } of receipts(client))
      for (const { user, seq: at } of (payload as Receipt).readers) seen.set(user, at);
    return seen;
  };
  await poll('both receipts', () =>
    [owner, member].every((client) => newest(client).get(ownerId) === seq && newest(client).get(memberId) === seq),
  );
  for (const client of [owner, member]) {
    const times = receipts(client).map(({ atMs }) => atMs);
    for (const [index, atMs] of times.entries()) assert.ok(index === 0 || atMs - (times[index - 1] as number) > 800);
  }
  assert.deepEqual(outsider.payloads('receipt'), []);
  const { readers } = await member.ok('room:readers', { room });
  assert.deepEqual(new Map(readers.map((reader) => [reader.user, reader.seq])), newest(owner));
});
