/** Members that catch up, or are ahead of their node, while their room moves to a new epoch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import type { ReadResult } from '../log/room-log.ts';
import type { Member } from './member.ts';
import { Room } from './room.ts';

class Recorder implements Member {
  readonly user = { id: 'mina' };
  given: string[] = [];
  ends: string[] = [];

  get closed(): boolean {
    return this.ends.length > 0;
  }
  removedFrom(): void {}
  send(packet: string): void {
    const [, payload] = JSON.parse(packet.slice(1));
    this.given.push(payload.type === 'epoch' ? `epoch ${payload.epoch}` : `${payload.seq} ${payload.epoch}`);
  }
  sendBatch({ packets }: { packets: readonly string[] }): void {
    for (const packet of packets) this.send(packet);
  }
  async drained(): Promise<void> {}
  end(reason: string): void {
    this.ends.push(reason);
  }
}

const stateOf = (epoch: string, base: number, head: number) => ({
  epoch,
  base,
  head,
  first: 1,
  n: head,
  guarded: false,
});
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

/** A room whose log is `log`. Its first read found `head` entries of the first epoch. */
function startRoom(head: number) {
  const log = { ...stateOf('1.a', 0, head) };
  const room = new Room('room', {
    readAfter: async (_, seq, limit) =>
      ({
        ...log,
        entries: range(seq + 1, log.head)
          .slice(0, limit)
          .map((at) => ({ seq: at, ts: 1, head: `"n":${at},"type":"text"`, tail: '"text":"x"' })),
      }) as unknown as ReadResult,
    recentBudget: { available: () => true, change() {} },
    onSeen() {},
    onDelivered() {},
    onAnnounced() {},
    onReceipt() {},
    onMalformed() {},
    onBackfill() {},
    onBackfillFailed: (error) => assert.fail(String(error)),
    onDeleted() {},
    now: () => performance.now(),
  });
  room.observe(log);
  const attach = async (epoch: string, seq: number) => {
    const member = new Recorder();
    await room.attach(member, { epoch, seq }, () => !member.closed);
    return member;
  };
  return { room, log, attach };
}

test('a member that catches up across a missed epoch has to resume; one that missed none continues', async () => {
  for (const [epoch, given, ends] of [
    ['2.b', ['epoch 2.b', '3 2.b'], []],
    ['3.c', [], ['lost_hole']],
  ] as const) {
    const { room, log, attach } = startRoom(3);
    Object.assign(log, stateOf(epoch, 2, 3));
    room.observe(log);
    const member = await attach('1.a', 3);
    await poll('the answer to the member', () => member.given.length >= given.length);
    assert.deepEqual([member.given, member.ends, room.live.size], [given, ends, 1 - ends.length]);
  }
});

/** How a node learns of the new epoch: from a read or its announcement, or from a backfill. */
const NEWS = {
  'a read': (room: Room, log: ReturnType<typeof stateOf>) => room.observe(log),
  'an entry': (room: Room, { epoch, head }: ReturnType<typeof stateOf>) =>
    room.onAnnouncement({ kind: 'entry', epoch, seq: head, ts: 1, body: `"n":${head},"type":"text","text":"x"}` }),
};

for (const [news, observe] of Object.entries(NEWS))
  test(`a member ahead of its node gets each entry once when the epoch rolls back, learnt from ${news}`, async () => {
    const [delivered, ahead] = [3, 6];
    for (const base of range(1, 8)) {
      const { room, log, attach } = startRoom(delivered);
      const members = [await attach('1.a', ahead), await attach('1.a', delivered)];
      const head = Math.max(base, ahead) + 2;
      Object.assign(log, stateOf('2.b', base, head));
      observe(room, log);
      await poll('the last entry', () => members.every(({ given }) => given.includes(`${head} 2.b`)));
      for (const [index, has] of [ahead, delivered].entries()) {
        const missed = range(Math.min(has, base) + 1, head).map((seq) => `${seq} 2.b`);
        assert.deepEqual(members[index]?.given, ['epoch 2.b', ...missed], `base ${base}, member at ${has}`);
      }
      room.close();
    }
  });
