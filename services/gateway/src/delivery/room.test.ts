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

  removedFrom(_room: string, reason: string): void {
    this.removals.push(reason);
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

function startRoom() {
  const room = new Room('room', {
    readAfter: () => assert.fail('every entry is in memory'),
    recentBudget: { available: () => true, change() {} },
    onSeen() {},
    onDelivered() {},
    onAnnounced() {},
    onMalformed() {},
    onBackfill() {},
    onBackfillFailed: (error) => assert.fail(String(error)),
    onDeleted() {},
    now: () => performance.now(),
  });
  room.observe({ epoch: EPOCH, base: 0, head: 0, first: 1, n: 0, guarded: false });
  let seq = 0;
  const announce = () =>
    room.onAnnouncement({
      kind: 'entry',
      epoch: EPOCH,
      seq: ++seq,
      ts: 1,
      body: `"n":${seq},"type":"text","text":"x"}`,
    });
  const enter = async (after: number) => {
    const member = new Recorder();
    await room.attach(member, { epoch: EPOCH, seq: after }, () => true);
    return member;
  };
  return { room, announce, enter };
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
