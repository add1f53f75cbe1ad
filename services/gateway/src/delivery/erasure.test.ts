/** After a message is deleted, nothing that a node remembers brings its text to a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Position } from '@maru/protocol';
import type { StoredEntry } from '../log/entry-codec.ts';
import type { ReadResult } from '../log/room-log.ts';
import type { Member } from './member.ts';
import { Room } from './room.ts';

const EPOCH = '1.a';
const SECRET = 'secret';

class Recorder implements Member {
  readonly user = { id: 'mina' };
  readonly packets: string[] = [];
  readonly closed = false;
  removedFrom(): void {}
  send(packet: string): void {
    this.packets.push(packet);
  }
  sendBatch({ packets }: { packets: readonly string[] }): void {
    this.packets.push(...packets);
  }
  async drained(): Promise<void> {}
  end(): void {
    assert.fail('ended');
  }
  get seqs(): number[] {
    return this.packets.map((packet) => JSON.parse(packet.slice(1))[1].seq);
  }
  get hasSecret(): boolean {
    return this.packets.some((packet) => packet.includes(SECRET));
  }
}

/** The log of one room. The test decides when reads are answered. */
function startRoom(head = 0) {
  const stored: StoredEntry[] = [];
  const reads: Array<{ after: number; answer: () => void }> = [];
  const append = (rest: string): StoredEntry => {
    const [head = '', tail = ''] = rest.split('|');
    const entry = { seq: stored.length + 1, ts: 1, head: `"n":1,"type":"${head}"`, tail };
    stored.push(entry);
    return entry;
  };
  const readOf = (after: number): ReadResult => ({
    ...{ epoch: EPOCH, base: 0, head: stored.length, first: 1, n: 1, role: undefined, reason: undefined },
    ...{ guarded: false, settings: undefined, personal: false, entries: stored.slice(after) },
  });
  const room = new Room('room', {
    readAfter: (_room, after) =>
      // The content of a read is fixed when the read starts, not when it is answered.
      new Promise((resolve) => {
        const read = readOf(after);
        reads.push({ after, answer: () => resolve(read) });
      }),
    recentBudget: { available: () => true, change() {} },
    onSeen() {},
    onDelivered() {},
    onAnnounced() {},
    onReceipt() {},
    onMalformed() {},
    onBackfill() {},
    onBackfillFailed: (error) => assert.fail(String(error)),
    onDeleted: () => assert.fail('deleted'),
    now: () => performance.now(),
  });
  if (head >= 0) room.observe(readOf(0));
  const announce = ({ seq, ts, head, tail }: StoredEntry) =>
    room.onAnnouncement({ kind: 'entry', epoch: EPOCH, seq, ts, body: `${head},${tail}}` });
  return {
    room,
    reads,
    announce,
    readOf,
    text: (text: string) => append(`text|"text":"${text}"`),
    remove(seq: number): StoredEntry {
      const { head, ts } = stored[seq - 1] as StoredEntry;
      stored[seq - 1] = { seq, ts, head, tail: '"erased":true' };
      return append(`message.delete|"data":{"seq":${seq}}`);
    },
    attach(seq: number, permittedSeq = seq) {
      const member = new Recorder();
      const position: Position = { epoch: EPOCH, seq };
      return { member, attached: room.attach(member, position, () => true, permittedSeq) };
    },
    async answer(after: number): Promise<void> {
      const index = reads.findIndex((read) => read.after === after);
      assert.ok(index >= 0, `no read after ${after}`);
      reads.splice(index, 1)[0]?.answer();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('the recent entries are forgotten, and the members get all entries live', async () => {
  const rig = startRoom();
  const { member, attached } = rig.attach(0);
  await attached;
  rig.announce(rig.text(SECRET));
  rig.announce(rig.text('other'));
  assert.equal(rig.room.since({ epoch: EPOCH, seq: 0 })?.packets.length, 2);
  rig.announce(rig.remove(1));
  assert.equal(rig.room.since({ epoch: EPOCH, seq: 0 }), undefined);
  assert.equal(rig.room.since({ epoch: EPOCH, seq: 2 })?.packets.length, 1);
  rig.room.positionOf(member);
  assert.deepEqual(member.seqs, [1, 2, 3]);
});

test('a deletion whose announcement was lost is carried out when a read brings it', async () => {
  const rig = startRoom();
  const { member, attached } = rig.attach(0);
  await attached;
  rig.announce(rig.text(SECRET));
  rig.remove(1);
  rig.announce(rig.text('other'));
  const before = { epoch: EPOCH, head: 1 };
  assert.equal(rig.room.erasures.isStale(before), false);
  await rig.answer(1);
  assert.equal(rig.room.erasures.isStale(before), true);
  assert.equal(rig.room.since({ epoch: EPOCH, seq: 0 }), undefined);
  assert.equal(rig.room.since({ epoch: EPOCH, seq: 1 })?.packets.length, 2);
  rig.room.positionOf(member);
  assert.deepEqual(member.seqs, [1, 2, 3]);
});

test('edits, reactions and pins do not clear recent entries or make a room guarded', () => {
  const rig = startRoom();
  rig.announce(rig.text('one'));
  for (const type of ['edit', 'react', 'pin'])
    rig.room.onAnnouncement({
      ...{ kind: 'entry', epoch: EPOCH, ts: 1, seq: rig.room.delivered + 1 },
      body: `"n":1,"type":"message.${type}","data":{"seq":1}}`,
    });
  const kept = rig.room.since({ epoch: EPOCH, seq: 0 });
  assert.deepEqual([kept?.packets.length, kept?.guarded], [4, false]);
  rig.room.onAnnouncement({ kind: 'entry', epoch: EPOCH, ts: 1, seq: 5, body: '"n":1,"type":"message.delete"}' });
  assert.equal(rig.room.since({ epoch: EPOCH, seq: 4 })?.guarded, false);
});

test('a read of a resume that was made before the deletion is not remembered for others', () => {
  const rig = startRoom();
  rig.announce(rig.text(SECRET));
  const before = rig.readOf(0);
  // The deletion is known here, but entries before it are missing.
  rig.text('lost');
  rig.announce(rig.remove(1));
  assert.ok(rig.room.erasures.isStale(before));
  assert.equal(rig.room.remember(before, 0).length, 1);
  assert.equal(rig.room.recentAfter(0), undefined);
  const after = rig.readOf(0);
  assert.equal(rig.room.erasures.isStale(after), false);
});

test('a page that was read before the deletion is read again', async () => {
  const rig = startRoom();
  for (let count = 0; count < 40; count++) rig.announce(rig.text(count === 3 ? SECRET : 'x'));
  const { member, attached } = rig.attach(0);
  rig.announce(rig.remove(4));
  await rig.answer(0);
  assert.deepEqual(member.packets, []);
  await rig.answer(0);
  await attached;
  assert.equal(member.seqs.length, 41);
  assert.equal(member.hasSecret, false);
});

test('an announcement before the first read does not keep the text', async () => {
  const rig = startRoom(-1);
  const first = rig.readOf(0);
  rig.announce(rig.text(SECRET));
  rig.announce(rig.text('other'));
  rig.announce(rig.remove(1));
  rig.room.observe(first);
  const { member, attached } = rig.attach(0);
  await attached;
  await rig.answer(0);
  rig.room.positionOf(member);
  assert.deepEqual(member.seqs, [1, 2, 3]);
  assert.equal(member.hasSecret, false);
});

test('an entry that waits behind a gap does not keep the text', async () => {
  const rig = startRoom();
  const { member, attached } = rig.attach(0);
  await attached;
  rig.text('its announcement was lost');
  rig.announce(rig.text(SECRET));
  assert.equal(rig.reads.length, 1);
  rig.announce(rig.remove(2));
  // Read before the deletion, so it is dropped.
  await rig.answer(0);
  assert.deepEqual([member.packets, rig.reads.length], [[], 1]);
  await rig.answer(0);
  rig.room.positionOf(member);
  assert.deepEqual(member.seqs, [1, 2, 3]);
  assert.equal(member.hasSecret, false);
});
