import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from './member.ts';
import { Room } from './room.ts';

const EPOCH = '1.a';

class Recorder implements Member {
  readonly user: { id: string };
  removals: string[] = [];
  given: string[] = [];
  closed = false;

  constructor(userId = 'mina') {
    this.user = { id: userId };
  }

  leave: () => void = () => {};

  removedFrom(_room: string, reason: string): void {
    this.removals.push(reason);
    this.leave();
  }
  send(packet: string): void {
    const [, payload] = JSON.parse(packet.slice(1));
    this.given.push(payload.type === 'epoch' ? `epoch ${payload.epoch}` : `${payload.seq}`);
  }
  sendBatch({ packets }: { packets: readonly string[] }): void {
    for (const packet of packets) this.send(packet);
  }
  async drained(): Promise<void> {}
  end(): void {
    this.closed = true;
  }
}

function startRoom(onDeleted = () => {}) {
  const room = new Room('room', {
    readAfter: () => assert.fail('every entry is in memory'),
    recentBudget: { available: () => true, change() {} },
    onSeen() {},
    onDelivered() {},
    onAnnounced() {},
    onReceipt() {},
    onMalformed() {},
    onBackfill() {},
    onBackfillFailed: (error) => assert.fail(String(error)),
    onDeleted,
    now: () => performance.now(),
  });
  room.observe({ epoch: EPOCH, base: 0, head: 0, first: 1, n: 0, guarded: false });
  let seq = 0;
  const announce = (rest = '"type":"text","text":"x"') =>
    room.onAnnouncement({ kind: 'entry', epoch: EPOCH, seq: ++seq, ts: 1, body: `"n":${seq},${rest}}` });
  const act = (type: string, data: object) => announce(`"type":"room.${type}","data":${JSON.stringify(data)}`);
  const enter = async (after: number, userId = 'mina', permittedSeq = after) => {
    const member = new Recorder(userId);
    member.leave = () => room.detach(member);
    const wanted = () => member.removals.length === 0;
    await room.attach(member, { epoch: EPOCH, seq: after }, wanted, permittedSeq);
    return member;
  };
  return { room, announce, act, enter };
}

test('a position is never ahead of the written entries', async () => {
  const { room, announce, enter } = startRoom();
  const member = await enter(0);
  announce();
  assert.equal(room.positionOf(member).seq, 1);
  assert.deepEqual(member.given, ['1']);
});

test('a member that enters while entries wait to be written gets each of them once', async () => {
  const { room, announce, enter } = startRoom();
  const first = await enter(0);
  for (let i = 0; i < 3; i++) announce();
  const entering = [enter(3), enter(1)];
  announce();
  const [head, behind] = (await Promise.all(entering)) as [Recorder, Recorder];
  announce();
  for (const member of [first, head, behind]) room.positionOf(member);
  assert.deepEqual(first.given, ['1', '2', '3', '4', '5']);
  assert.deepEqual(head.given, ['4', '5']);
  assert.deepEqual(behind.given, ['2', '3', '4', '5']);
});

test('a member that leaves got every entry before', async () => {
  const { room, announce, enter } = startRoom();
  const member = await enter(0);
  announce();
  room.detach(member);
  announce();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(member.given, ['1']);
});

test('a new epoch is announced after the entries of the old one', async () => {
  const { room, announce, enter } = startRoom();
  const member = await enter(0);
  announce();
  room.observe({ epoch: '2.b', base: 1, head: 1, first: 1, n: 1, guarded: false });
  assert.deepEqual(member.given, ['1', 'epoch 2.b']);
});

test('a member that leaves got the entries before, a closed connection gets nothing more, the others get all', async () => {
  const { room, announce, enter } = startRoom();
  const [leaving, ended, staying] = [await enter(0), await enter(0), await enter(0)] as const;
  announce();
  room.detach(leaving);
  announce();
  ended.closed = true;
  room.detach(ended);
  assert.equal(room.positionOf(staying).seq, 2);
  assert.deepEqual([leaving.given, ended.given, staying.given], [['1'], ['1'], ['1', '2']]);
});

for (const [type, reason] of [
  ['ban', 'banned'],
  ['kick', 'kicked'],
  ['leave', 'left'],
] as const)
  test(`a live member gets the ${type} of its user and nothing after it; others get all`, async () => {
    const { room, announce, act, enter } = startRoom();
    const [jun, other, mina] = [await enter(0, 'jun'), await enter(0, 'jun'), await enter(0)];
    announce();
    act(type, { user: 'jun' });
    announce();
    assert.equal(room.positionOf(mina).seq, 3);
    assert.deepEqual(mina.given, ['1', '2', '3']);
    for (const member of [jun, other]) assert.deepEqual([member.given, member.removals], [['1', '2'], [reason]]);
    assert.deepEqual(mina.removals, []);
  });

test('a room that closes removes everybody', async () => {
  const { announce, act, enter } = startRoom();
  const members = [await enter(0, 'jun'), await enter(0)];
  act('update', { closed: true });
  announce();
  for (const member of members) assert.deepEqual([member.given, member.removals], [['1'], ['closed']]);
});

test('acts that remove no one leave the members in the room', async () => {
  const { room, act, enter } = startRoom();
  const mina = await enter(0);
  for (const type of ['mute', 'unmute', 'unban', 'role', 'invite']) act(type, { user: 'mina' });
  act('update', { title: 'x' });
  assert.equal(room.positionOf(mina).seq, 6);
  assert.deepEqual(mina.removals, []);
});

test('a member that catches up gets the ban and nothing after it', async () => {
  const { announce, act, enter } = startRoom();
  announce();
  act('ban', { user: 'jun' });
  announce();
  const jun = await enter(0, 'jun');
  assert.deepEqual([jun.given, jun.removals], [['1', '2'], ['banned']]);
});

test('a ban before the check of the right removes no one: it was lifted since', async () => {
  const { room, announce, act, enter } = startRoom();
  act('ban', { user: 'jun' });
  act('unban', { user: 'jun' });
  announce();
  const behind = await enter(0, 'jun', 2);
  assert.equal(room.positionOf(behind).seq, 3);
  assert.deepEqual([behind.given, behind.removals], [['1', '2', '3'], []]);
  // Its join was answered up to 5, of which this node has delivered 3.
  const ahead = await enter(5, 'jun');
  act('kick', { user: 'jun' });
  assert.deepEqual(ahead.removals, []);
  announce();
  act('kick', { user: 'jun' });
  assert.deepEqual([ahead.given, ahead.removals], [['6'], ['kicked']]);
});

test('a late announcement of a deletion does not concern the room that was made again', () => {
  let deletions = 0;
  const { room } = startRoom(() => deletions++);
  room.onAnnouncement({ kind: 'deleted', epoch: '0.a' });
  assert.equal(deletions, 0);
  room.onAnnouncement({ kind: 'deleted', epoch: '2.a' });
  assert.equal(deletions, 1);
});

test('a member whose gap cannot be read any more gets nothing after the gap', async () => {
  const { room, enter } = startRoom();
  const member = await enter(0);
  // The node missed an epoch, so what it missed is unknown. It may hold a ban.
  room.observe({ epoch: '3.c', base: 0, head: 0, first: 1, n: 0, guarded: true });
  assert.equal(member.closed, true);
  room.onAnnouncement({ kind: 'entry', epoch: '3.c', seq: 1, ts: 1, body: '"n":1,"type":"text","text":"x"}' });
  room.close();
  assert.deepEqual(member.given, []);
});
