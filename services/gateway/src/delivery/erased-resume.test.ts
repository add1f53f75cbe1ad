/** Resumes on a node with a fake log and a fake subscriber, while a message is deleted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@maru/service-kit';
import { roomLiveChannel } from '../keys.ts';
import type { ReadResult, RoomLog } from '../log/room-log.ts';
import { createSeenPositions } from '../log/seen-positions.ts';
import { Delivery } from './delivery.ts';
import type { Member } from './member.ts';
import { createRecentBudget } from './recent-entries.ts';
import type { ChannelHandler, Subscriber } from './subscriber.ts';

const SECRET = 'secret';
const settled = () => new Promise((resolve) => setImmediate(resolve));

const member = (): Member => ({
  user: { id: 'mina' },
  send() {},
  sendBatch() {},
  drained: async () => {},
  closed: false,
  removedFrom() {},
  end: () => assert.fail('ended'),
});

/** A log of one room with one message. The test decides when reads of resumes are answered. */
function startNode() {
  let head = 1;
  let slow = false;
  let text = `"text":"${SECRET}"`;
  const reads: Array<() => void> = [];
  let handler: ChannelHandler = () => {};
  let resubscribed: (channels: ReadonlySet<string>) => void = () => {};
  const stateNow = (): ReadResult => ({
    ...{ epoch: '1.a', base: 0, head, first: 1, n: 1, role: undefined, reason: undefined },
    ...{ guarded: false, settings: undefined, personal: false },
    entries: [
      { seq: 1, ts: 1, head: '"n":1,"type":"text"', tail: text },
      { seq: 2, ts: 1, head: '"n":1,"type":"message.delete"', tail: '"data":{"seq":1}' },
    ].slice(0, head),
  });
  const read: RoomLog['read'] = async (_room, _reader, piece) => {
    const result = stateNow();
    if (piece.mode === 'none' && slow) await new Promise(() => {});
    if (piece.mode === 'since') await new Promise<void>((resolve) => reads.push(resolve));
    return piece.mode === 'none' ? { ...result, entries: [] } : result;
  };
  const subscriber = {
    subscribe: async (_channel, receive) => {
      handler = receive;
    },
    unsubscribe: async () => {},
    want: () => assert.fail('wanted'),
    drop: () => assert.fail('dropped'),
    onResubscribed: (callback) => {
      resubscribed = callback;
    },
    isAlive: () => true,
    alive: true,
    start() {},
    stop() {},
  } satisfies Subscriber;
  const delivery = new Delivery({
    log: { read } as RoomLog,
    seen: createSeenPositions({ roomsMax: 10 }),
    subscriber,
    logger: createLogger({ service: 'test', node: 'n', level: 'silent' }),
    ...{ lingerMs: 20, auditPeriodMs: 1_000, deadlineMs: 800 },
    recentBudget: createRecentBudget(1e7),
    now: () => performance.now(),
    metrics: { delivered() {}, backfill() {}, malformed() {}, announced() {}, resumeRead() {} },
    beforeCreate: async () => {},
    onRoomEntered() {},
  });
  return {
    delivery,
    reads,
    resume: () => delivery.resume(member(), 'tea', 'mina', { epoch: '1.a', seq: 0 }),
    /** Deletes the message in the log, as if the announcement were late or lost. */
    remove() {
      head = 2;
      text = '"erased":true';
    },
    announceRemoval() {
      const body = '"n":1,"type":"message.delete","data":{"seq":1}}';
      handler(`1 M 1.a 2 1 ${body.length}\n${body}`);
    },
    /** The node compares its heads with the log, which does not answer yet. */
    resubscribe() {
      slow = true;
      resubscribed(new Set([roomLiveChannel('tea')]));
    },
  };
}

const holdsSecret = ({ packets }: { packets: string[] }) => packets.some((packet) => packet.includes(SECRET));

test('a read in flight is shared, but not with a resume that begins after the deletion', async () => {
  const { delivery, reads, resume, remove, announceRemoval } = startNode();
  // The room is open, so the node receives its announcements.
  await delivery.enter(member(), 'tea', 'mina', { mode: 'none' }, false);
  const [first, second] = [resume(), resume()];
  await settled();
  assert.equal(reads.length, 1);
  remove();
  announceRemoval();
  const third = resume();
  await settled();
  assert.equal(reads.length, 2);
  for (const answer of reads) answer();
  const [before, shared, after] = await Promise.all([first, second, third]);
  assert.deepEqual([before, shared, after].map(holdsSecret), [true, true, false]);
  assert.deepEqual(
    [before, shared, after].map((resumed) => delivery.isStale('tea', resumed)),
    [true, true, false],
  );
  // What was read before the deletion is not remembered, even if its answer came last.
  assert.equal(holdsSecret(await resume()), false);
  delivery.stop();
});

test('what is remembered is forgotten when announcements were missed', async () => {
  const { delivery, reads, resume, remove, resubscribe } = startNode();
  await delivery.enter(member(), 'tea', 'mina', { mode: 'none' }, false);
  const first = resume();
  await settled();
  reads.pop()?.();
  assert.equal(holdsSecret(await first), true);
  assert.equal(holdsSecret(await resume()), true);
  assert.equal(reads.length, 0, 'the second one needed no read');
  remove();
  resubscribe();
  const second = resume();
  await settled();
  reads.pop()?.();
  assert.equal(holdsSecret(await second), false);
  delivery.stop();
});
