/** Pages across the hot log and the archive, in situations that a random test rarely reaches. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { singleStore } from '@maru/redis-store';
import { roomLogKey, roomMetaKey } from '../keys.ts';
import { toEntry } from '../log/entry-codec.ts';
import type { HistoryStore } from '../log/history-store.ts';
import type { HotLog } from '../log/hot-log.ts';
import type { Change, MessagesPiece, ReadPiece, RoomLog } from '../log/room-log.ts';
import { publicRoom } from '../log/testing/log-rig.ts';
import { createModeration } from '../rooms/moderation.ts';
import { type ArchivedRig, startArchivedRig } from './testing/archived-rig.ts';

const KEPT = 5;

let rig: ArchivedRig;
let log: RoomLog;
/** Runs once before a call of the archive. `again`: the call applies changes. */
let beforeCall: ((again: boolean) => Promise<unknown> | undefined) | undefined;
const calls = { archive: 0, hot: 0 };

before(async () => {
  rig = await startArchivedRig({ kept: KEPT });
  const through = (history: HistoryStore): HistoryStore => ({
    async readPage(query, options) {
      calls.archive += 1;
      const work = beforeCall?.(options.changes !== undefined);
      if (work !== undefined) beforeCall = undefined;
      await work;
      return history.readPage(query, options);
    },
  });
  const counted = (hot: HotLog): HotLog => ({
    ...hot,
    readHot: (...args) => {
      calls.hot += 1;
      return hot.readHot(...args);
    },
    readMessagesHot: (...args) => {
      calls.hot += 1;
      return hot.readMessagesHot(...args);
    },
  });
  log = await rig.node({ history: through, hot: counted });
});
after(() => rig.stop());
beforeEach(() => {
  beforeCall = undefined;
  Object.assign(calls, { archive: 0, hot: 0 });
});

let ids = 0;
const by = (userId: string) => ({
  userId,
  userName: userId,
  clientMsgId: `id-${++ids}`,
  isAdmin: true,
  mayStore: true,
});
async function change(room: string, what: Change, userId = 'mina'): Promise<number> {
  const result = await log.change({ ...by(userId), room, change: what });
  return 'seq' in result ? result.seq : assert.fail(result.outcome);
}
const send = (text: string, thread?: number): Change => ({ type: 'send', text, thread, mentions: undefined });
const remove = (seq: number): Change => ({ type: 'delete', seq, reason: undefined });
const react = (seq: number): Change => ({ type: 'react', seq, emoji: '👍', active: true });
const pin = (seq: number): Change => ({ type: 'pin', seq, active: true });

/** Archives all entries. The hot log keeps only the newest few. */
async function archiveAll(room: string): Promise<void> {
  await rig.copy(room, 10_000);
  await rig.trim(room);
}

/** Creates a room whose hot log keeps messages 16 to 20. */
async function bigRoom(): Promise<string> {
  const room = await publicRoom(log);
  for (let n = 0; n < 20; n++) await change(room, send(`m${n}`));
  await archiveAll(room);
  return room;
}

async function read(room: string, some: Partial<MessagesPiece> = {}) {
  const piece = { mode: 'newest', seq: 0, limit: 10, thread: undefined, pinned: false, ...some } as const;
  const { epoch, entries, ...rest } = await log.readMessages(room, 'jun', piece);
  return { ...rest, messages: entries.map((entry) => toEntry(room, epoch, entry)) };
}
const entries = async (room: string, piece: ReadPiece): Promise<Entry[]> => {
  const result = await log.read(room, { userId: 'jun' }, piece);
  return result.entries.map((entry) => toEntry(room, result.epoch, entry));
};
const one = async (room: string, seq: number) => {
  const { head, messages } = await read(room, { mode: 'around', seq, limit: 1 });
  return { head, message: messages[0] as Entry };
};
const seqsOf = (list: Entry[]) => list.map(({ seq }) => seq);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('a page that is completely in the hot log reads the hot log once, and not the archive', async () => {
  const room = await bigRoom();
  Object.assign(calls, { archive: 0, hot: 0 });
  assert.deepEqual(seqsOf(await entries(room, { mode: 'newest', limit: KEPT })), upTo(20, 16));
  assert.deepEqual(seqsOf(await entries(room, { mode: 'after', seq: 15, limit: 50 })), upTo(20, 16));
  await log.read(room, 'node', { mode: 'none' });
  assert.deepEqual(seqsOf((await read(room, { limit: KEPT - 1 })).messages), upTo(20, 17));
  assert.deepEqual(calls, { archive: 0, hot: 4 });
});

test('a page that is cut at its byte limit leaves no gap before the next one', async () => {
  const room = await publicRoom(log);
  const text = 'x'.repeat(16_000);
  // The hot log keeps short messages, which would fit into the remaining bytes of a page.
  for (let n = 0; n < 90; n++) await change(room, send(n < 90 - KEPT ? text : 'x'));
  await archiveAll(room);
  for (const isPage of [true, false]) {
    const found: number[] = [];
    let pages = 0;
    while ((found.at(-1) ?? 0) < 90) {
      const seq = found.at(-1) ?? 0;
      const page = isPage
        ? await entries(room, { mode: 'after', seq, limit: 200 })
        : (await read(room, { mode: 'after', seq, limit: 200 })).messages;
      found.push(...seqsOf(page));
      pages += 1;
    }
    assert.deepEqual(found, upTo(90));
    assert.equal(pages, 2);
  }
});

test('the deletion of a reply appears in its root, even if one of them has left the hot log', async () => {
  const room = await publicRoom(log);
  const root = await change(room, send('root'));
  const first = await change(room, send('first', root));
  const second = await change(room, send('second', root));
  for (let n = 0; n < 10; n++) await change(room, send(`m${n}`));
  await archiveAll(room);
  const third = await change(room, send('third', root));
  assert.deepEqual((await one(room, root)).message.replies?.seq, third);
  await change(room, remove(third));
  assert.deepEqual((await one(room, root)).message.replies?.seq, second);
  await change(room, remove(second));
  const { replies } = (await one(room, root)).message;
  assert.deepEqual([replies?.n, replies?.seq], [1, first]);
});

test('nothing is before the first entry, in a room, a thread or among pins, also where the archive has some', async () => {
  const room = await bigRoom();
  for (const seq of [3, 18]) await change(room, send('reply', seq));
  for (const seq of [3, 18]) await change(room, pin(seq));
  for (const which of [{}, { thread: 3 }, { thread: 18 }, { pinned: true }]) {
    const { messages, hasMore, hasNewer } = await read(room, { mode: 'before', seq: 0, ...which });
    assert.deepEqual([messages, hasMore, hasNewer], [[], false, true], JSON.stringify(which));
  }
});

test('a page shows nothing that the archive got after its head', async () => {
  const room = await bigRoom();
  await change(room, react(3), 'bo');
  beforeCall = (again) => (again ? change(room, react(3), 'u1').then(() => archiveAll(room)) : undefined);
  const { head, message } = await one(room, 3);
  assert.equal(message.reactions?.[0]?.count, head - 20);
});

test('a message that is pinned during a read is on the page or after its head', async () => {
  const room = await bigRoom();
  await change(room, pin(2));
  beforeCall = () => change(room, pin(4));
  const { head, messages } = await read(room, { pinned: true });
  assert.deepEqual(seqsOf(messages), head > 21 ? [2, 4] : [2]);
});

test('a reader who is banned during a read gets no page', async () => {
  const room = await bigRoom();
  const act = { type: 'ban', user: 'jun', forMs: undefined, reason: undefined } as const;
  beforeCall = () => log.act({ ...by('admin'), room, act });
  await assert.rejects(entries(room, { mode: 'before', seq: 9, limit: 5 }), { code: 'forbidden' });
  assert.equal(calls.archive, 1);
});

test('two users change the same archived message at once, and both changes are stored', async () => {
  const room = await bigRoom();
  const seqs = await Promise.all(['bo', 'u1', 'u2', 'u3'].map((user) => change(room, react(3), user)));
  assert.equal(new Set(seqs).size, 4);
  assert.equal((await one(room, 3)).message.reactions?.[0]?.count, 4);
});

test('an archived message is reported like any other', async () => {
  const room = await bigRoom();
  const quota = { charge: async () => {}, giveBack() {} };
  const moderation = createModeration({
    ...{ store: singleStore(rig.admin), log, quota, audit: { record() {} } },
    storeNow: () => 1_000,
    onReported: () => {},
  });
  const jun = { user: { id: 'jun', name: 'Jun' }, roles: ['admin'] };
  await moderation.report(jun, { room, seq: 3, reason: 'spam' });
  const { reports } = (await moderation.reports(jun, { room, limit: 5 })).data;
  assert.deepEqual(
    reports.map(({ seq, from }) => [seq, from]),
    [[3, 'mina']],
  );
  await change(room, remove(3));
  const again = { ...jun, user: { id: 'bo', name: 'Bo' } };
  await assert.rejects(moderation.report(again, { room, seq: 3, reason: 'spam' }), { code: 'not_found' });
  await assert.rejects(moderation.report(again, { room, seq: 500, reason: 'spam' }), { code: 'not_found' });
});

test('after a rollback, older pages wait until the archive follows the new epoch', async () => {
  const room = await bigRoom();
  await rig.admin.xdel(roomLogKey(room), '19-0', '20-0');
  await rig.admin.call('XSETID', roomLogKey(room), '18-0');
  await rig.admin.hset(roomMetaKey(room), { epoch: '9.new', base: 18, archived: 18 });
  const page = { mode: 'before', seq: 9, limit: 3 } as const;
  await assert.rejects(entries(room, page), { code: 'unavailable' });
  assert.deepEqual(seqsOf(await entries(room, { mode: 'newest', limit: 3 })), upTo(18, 16));
  await change(room, send('after'));
  await rig.copy(room, 10);
  const found = await entries(room, { mode: 'newest', limit: 50 });
  assert.deepEqual(seqsOf(found), upTo(19));
  assert.equal(found[18]?.text, 'after');
});

test('if PostgreSQL does not answer, only pages and changes that need it fail, within the deadline', async () => {
  const room = await bigRoom();
  const deadlineMs = 400;
  const node = await rig.node({ deadlineMs });
  const page = { mode: 'newest', seq: 0, limit: 10, thread: undefined, pinned: false } as const;
  const messages = (some: Partial<MessagesPiece>) => node.readMessages(room, 'jun', { ...page, ...some });
  const jun = { userId: 'jun' };
  rig.postgres.pause();
  try {
    const startedAt = performance.now();
    const old = { code: 'unavailable' };
    await assert.rejects(node.read(room, jun, { mode: 'before', seq: 9, limit: 5 }), old);
    await assert.rejects(messages({ mode: 'around', seq: 3 }), old);
    await assert.rejects(messages({ mode: 'after', seq: 3 }), old);
    await assert.rejects(node.change({ ...by('mina'), room, change: react(3) }), old);
    // Some of these are in the hot log.
    const newest = await node.read(room, jun, { mode: 'newest', limit: 10 });
    assert.deepEqual([newest.entries[0]?.seq, newest.archivedFrom], [16, 1]);
    const { hasMore, entries: found } = await messages({ mode: 'before', seq: 19 });
    assert.deepEqual([found.map(({ seq }) => seq), hasMore], [[16, 17, 18], true]);
    // Much less than six calls would wait without a deadline.
    assert.ok(performance.now() - startedAt < 6 * 5 * deadlineMs);
    assert.equal((await node.read(room, jun, { mode: 'newest', limit: KEPT })).entries.length, KEPT);
  } finally {
    rig.postgres.resume();
  }
  assert.deepEqual(seqsOf(await entries(room, { mode: 'newest', limit: 50 })), upTo(20));
});
