/** Edits, deletions, reactions, pins, threads and mentions in a real Redis. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { roomMentionsKey, roomMetaKey, roomRolesKey } from '../keys.ts';
import { toEntry } from './entry-codec.ts';
import type { Change, ChangeResult, MessagesPiece, RoomLog } from './room-log.ts';
import { type LogRig, message, publicRoom, startLogRig } from './testing/log-rig.ts';

let rig: LogRig;
let log: RoomLog;
before(async () => {
  rig = await startLogRig();
  log = await rig.node();
});
after(() => rig.stop());

let ids = 0;
const as = (userId: string) => ({
  userId,
  userName: userId,
  clientMsgId: `id-${++ids}`,
  isAdmin: false,
  mayStore: true,
});

const change = (room: string, userId: string, what: Change): Promise<ChangeResult> =>
  log.change({ ...as(userId), room, change: what });

async function say(room: string, userId: string, text: string): Promise<number> {
  const result = await log.append({ ...message(room, `id-${++ids}`, text), userId, userName: userId });
  assert.equal(result.outcome, 'stored');
  return 'seq' in result ? result.seq : 0;
}

const send = (text: string, thread?: number, mentions?: string[]): Change => ({ type: 'send', text, thread, mentions });
const edit = (seq: number, text: string, mentions?: string[]): Change => ({ type: 'edit', seq, text, mentions });
const remove = (seq: number): Change => ({ type: 'delete', seq, reason: undefined });
const react = (seq: number, emoji: string, active = true): Change => ({ type: 'react', seq, emoji, active });
const pin = (seq: number, active = true): Change => ({ type: 'pin', seq, active });

const entriesOf = (room: string, read: { epoch: string; entries: Parameters<typeof toEntry>[2][] }): Entry[] =>
  read.entries.map((entry) => toEntry(room, read.epoch, entry));

async function history(room: string, userId = 'mina'): Promise<Entry[]> {
  return entriesOf(room, await log.read(room, { userId }, { mode: 'newest', limit: 200 }));
}

async function messages(room: string, piece: Partial<MessagesPiece> = {}, userId = 'mina') {
  const whole = { mode: 'newest', seq: 0, limit: 50, thread: undefined, pinned: false, ...piece } as const;
  const read = await log.readMessages(room, userId, whole);
  return { ...read, messages: entriesOf(room, read) };
}
const seqsOf = async (room: string, piece: Partial<MessagesPiece>) =>
  (await messages(room, piece)).messages.map(({ seq }) => seq);

async function makeModerator(room: string, user: string): Promise<void> {
  const act = { type: 'role', user, role: 'moderator' } as const;
  await log.act({ ...as('admin'), room, act, isAdmin: true });
}

test('an edit changes the message that is read, and the log keeps both entries in their original form', async () => {
  const room = await publicRoom(log);
  const seq = await say(room, 'mina', 'helo');
  const result = await change(room, 'mina', edit(seq, 'hello'));
  assert.equal(result.outcome, 'stored');
  const [edited, entry] = await history(room);
  assert.equal(edited?.text, 'hello');
  assert.deepEqual(edited?.edited, { ts: entry?.ts });
  assert.deepEqual([entry?.type, entry?.data, entry?.n], ['message.edit', { seq, text: 'hello' }, 1]);
  const { epoch } = await log.read(room, 'node', { mode: 'none' });
  const raw = await log.read(room, 'node', { mode: 'since', position: { epoch, seq: 0 }, fallbackLimit: 0 });
  assert.equal(entriesOf(room, raw)[0]?.text, 'helo');
});

test('an edit by another user, of a missing message, or of another type of entry is refused', async () => {
  const room = await publicRoom(log);
  const seq = await say(room, 'mina', 'one');
  assert.equal((await change(room, 'jun', edit(seq, 'two'))).outcome, 'forbidden');
  assert.equal((await change(room, 'mina', edit(9, 'two'))).outcome, 'not_found');
  await change(room, 'mina', react(seq, '👍'));
  assert.equal((await change(room, 'mina', edit(2, 'two'))).outcome, 'not_found');
});

test('a retry is a duplicate, and the same id with other content a conflict', async () => {
  const room = await publicRoom(log);
  const seq = await say(room, 'mina', 'one');
  const request = { ...as('mina'), room, change: edit(seq, 'two') };
  const stored = await log.change(request);
  assert.equal(stored.outcome, 'stored');
  assert.deepEqual(await log.change(request), {
    ...Object.fromEntries(Object.entries(stored).filter(([name]) => name !== 'mentioned' && name !== 'author')),
    outcome: 'duplicate',
  });
  assert.equal((await log.change({ ...request, change: edit(seq, 'three') })).outcome, 'conflict');
});

test('a deletion removes the text from all keys of the store, and leaves no gap in the log', async () => {
  const room = await publicRoom(log);
  await makeModerator(room, 'mod');
  await say(room, 'jun', 'before');
  const first = { ...as('mina'), room, change: send('secret-1', undefined, ['jun']) };
  const sent = await log.change(first);
  const seq = 'seq' in sent ? sent.seq : 0;
  await change(room, 'mina', edit(seq, 'secret-2', ['jun', 'bo']));
  await change(room, 'mina', edit(seq, 'secret-3'));
  await change(room, 'jun', react(seq, '👍'));
  await change(room, 'mod', pin(seq));
  await change(room, 'jun', send('reply', seq));
  assert.equal((await change(room, 'jun', remove(seq))).outcome, 'forbidden');
  assert.equal((await change(room, 'mod', remove(seq))).outcome, 'stored');
  assert.equal((await change(room, 'mina', remove(seq))).outcome, 'unchanged');
  assert.equal((await change(room, 'mina', edit(seq, 'secret-4'))).outcome, 'not_found');
  assert.equal((await log.change(first)).outcome, 'duplicate');
  for (const key of await rig.admin.keys(`maru:{${room}}:*`)) {
    const dump = await rig.admin.dumpBuffer(key);
    assert.ok(!dump?.includes('secret'), `${key} holds the text`);
    const type = await rig.admin.type(key);
    if (type === 'stream') assert.ok(!JSON.stringify(await rig.admin.xrange(key, '-', '+')).includes('secret'));
  }
  const entries = await history(room);
  assert.deepEqual(
    entries.map((entry) => entry.seq),
    entries.map((_, index) => index + 1),
  );
  const deleted = entries[seq - 1];
  assert.equal(deleted?.text, '');
  assert.equal(deleted?.erased, true);
  assert.equal(deleted?.deleted?.by, 'mod');
  assert.equal(deleted?.reactions, undefined);
  assert.equal(deleted?.replies?.n, 1);
  assert.deepEqual([entries[seq]?.erased, entries[seq]?.data], [true, { seq }]);
  const { epoch } = await log.read(room, 'node', { mode: 'none' });
  const raw = await log.read(room, 'node', { mode: 'since', position: { epoch, seq: 0 }, fallbackLimit: 0 });
  assert.equal(raw.entries.length, entries.length);
  assert.equal(entriesOf(room, raw)[seq - 1]?.erased, true);
});

test('reactions count each user once, list the first ten in order, and show the own reaction', async () => {
  const room = await publicRoom(log);
  const seq = await say(room, 'mina', 'vote');
  for (let user = 0; user < 12; user++) await change(room, `u${user}`, react(seq, '👍'));
  const again = await change(room, 'u3', react(seq, '👍'));
  assert.deepEqual([again.outcome, 'seq' in again && again.seq], ['unchanged', 13]);
  await change(room, 'u3', react(seq, '👍', false));
  await change(room, 'mina', react(seq, '"'));
  const [message] = await history(room, 'u11');
  assert.deepEqual(message?.reactions, [
    { emoji: '👍', count: 11, mine: true, users: ['u0', 'u1', 'u2', 'u4', 'u5', 'u6', 'u7', 'u8', 'u9', 'u10'] },
    { emoji: '"', count: 1, mine: false, users: ['mina'] },
  ]);
  assert.equal((await change(room, 'u3', react(seq, '👍', false))).outcome, 'unchanged');
});

test('a message has at most twenty emoji, and a removed one frees its place', async () => {
  const room = await publicRoom(log);
  const seq = await say(room, 'mina', 'vote');
  const emoji = Array.from({ length: 21 }, (_, index) => String.fromCodePoint(0x1f600 + index));
  for (const one of emoji.slice(0, 20)) await change(room, 'mina', react(seq, one));
  const refused = await change(room, 'jun', react(seq, emoji[20] as string));
  assert.deepEqual(refused, { outcome: 'conflict', why: 'emoji' });
  await change(room, 'mina', react(seq, emoji[4] as string, false));
  assert.equal((await change(room, 'jun', react(seq, emoji[20] as string))).outcome, 'stored');
  await change(room, 'jun', react(seq, emoji[20] as string, false));
  assert.equal((await history(room))[0]?.reactions?.length, 19);
});

test('a thread counts replies that are not deleted, and its pages contain all replies', async () => {
  const room = await publicRoom(log);
  const root = await say(room, 'mina', 'root');
  const replies: number[] = [];
  for (let n = 0; n < 5; n++) {
    const result = await change(room, 'jun', send(`reply ${n}`, root));
    replies.push('seq' in result ? result.seq : 0);
    await say(room, 'mina', 'elsewhere');
  }
  const [r0, r1, r2, r3, r4] = replies as [number, number, number, number, number];
  await change(room, 'jun', remove(r4));
  await change(room, 'jun', remove(r1));
  const [message] = await history(room);
  assert.deepEqual([message?.replies?.n, message?.replies?.seq], [3, r3]);
  assert.deepEqual(await seqsOf(room, { thread: root }), replies);
  assert.deepEqual(await seqsOf(room, { thread: root, mode: 'before', seq: r3, limit: 2 }), [r1, r2]);
  assert.deepEqual(await seqsOf(room, { thread: root, mode: 'after', seq: r0, limit: 2 }), [r1, r2]);
  const page = await messages(room, { thread: root, mode: 'before', seq: r3, limit: 2 });
  assert.deepEqual([page.hasMore, page.hasNewer], [true, true]);
  assert.equal((await change(room, 'jun', send('x', r0))).outcome, 'invalid');
  assert.equal((await change(room, 'jun', send('x', r1))).outcome, 'not_found');
  assert.equal((await change(room, 'jun', send('x', 999))).outcome, 'not_found');
});

test('mentions contain only users who may read, follow edits, and end with a deletion', async () => {
  const room = await publicRoom(log);
  const kept = () => rig.admin.zrange(roomMentionsKey(room), '0', '-1');
  const sent = await change(room, 'mina', send('hi', undefined, ['jun', 'mina', 'bo']));
  assert.deepEqual('mentioned' in sent && sent.mentioned, ['jun', 'bo']);
  const edited = await change(room, 'mina', edit(1, 'hi', ['bo', 'cy']));
  assert.deepEqual('mentioned' in edited && edited.mentioned, ['cy']);
  assert.deepEqual(await kept(), [`m\nbo\n${'1'.padStart(16, '0')}`, `m\ncy\n${'1'.padStart(16, '0')}`]);
  assert.equal((await change(room, 'mina', send('all', undefined, ['@room']))).outcome, 'forbidden');
  await makeModerator(room, 'mod');
  const all = await change(room, 'mod', send('all', undefined, ['@room']));
  assert.deepEqual('mentioned' in all && all.mentioned, ['@room']);
  await change(room, 'mod', remove('seq' in all ? all.seq : 0));
  await change(room, 'mina', remove(1));
  assert.deepEqual(await kept(), []);
});

test('pins are for moderators, bounded, and read in order', async () => {
  const room = await publicRoom(log);
  await makeModerator(room, 'mod');
  const seqs: number[] = [];
  for (let n = 0; n < 101; n++) seqs.push(await say(room, 'mina', `m${n}`));
  assert.equal((await change(room, 'mina', pin(seqs[0] as number))).outcome, 'forbidden');
  for (const seq of seqs.slice(0, 100).reverse()) assert.equal((await change(room, 'mod', pin(seq))).outcome, 'stored');
  assert.deepEqual(await change(room, 'mod', pin(seqs[100] as number)), { outcome: 'conflict', why: 'pins' });
  assert.equal((await change(room, 'mod', pin(seqs[1] as number))).outcome, 'unchanged');
  await change(room, 'mod', pin(seqs[1] as number, false));
  assert.deepEqual(await seqsOf(room, { pinned: true, limit: 200 }), [seqs[0], ...seqs.slice(2, 100)]);
});

test('pages of messages have no gap, even with thousands of reactions in between', async () => {
  const room = await publicRoom(log);
  const wanted: number[] = [];
  for (let n = 0; n < 12; n++) {
    wanted.push(await say(room, 'mina', `m${n}`));
    const seq = wanted.at(-1) as number;
    await Promise.all(Array.from({ length: n * 20 }, (_, user) => change(room, `u${user}`, react(seq, '👍'))));
  }
  assert.deepEqual(await seqsOf(room, {}), wanted);
  assert.deepEqual(await seqsOf(room, { mode: 'after', seq: 0, limit: 5 }), wanted.slice(0, 5));
  for (let index = 0; index < wanted.length; index++) {
    const seq = wanted[index] as number;
    assert.deepEqual(
      await seqsOf(room, { mode: 'before', seq, limit: 3 }),
      wanted.slice(Math.max(0, index - 3), index),
    );
    assert.deepEqual(await seqsOf(room, { mode: 'after', seq, limit: 3 }), wanted.slice(index + 1, index + 4));
    const at = Math.min(seq + 1, wanted.at(-1) as number);
    const older = wanted.filter((one) => one <= at).slice(-2);
    const newer = wanted.filter((one) => one > at).slice(0, 4 - older.length);
    assert.deepEqual(await seqsOf(room, { mode: 'around', seq: at, limit: 4 }), [...older, ...newer]);
  }
  await assert.rejects(messages(room, { mode: 'around', seq: 100_000 }), { code: 'not_found' });
});

test('trimming removes all data of a message, also if entries were erased', async () => {
  const node = await rig.node({ entriesMin: 10, entriesMax: 10 });
  const room = await publicRoom(node);
  await makeModerator(room, 'mod');
  const seq = await say(room, 'mina', 'old');
  await change(room, 'mina', edit(seq, 'older', ['jun']));
  await change(room, 'jun', react(seq, '👍'));
  await change(room, 'jun', send('reply', seq));
  await change(room, 'mod', pin(seq));
  const doomed = await say(room, 'mina', 'doomed');
  await change(room, 'mina', remove(doomed));
  for (let n = 0; n < 128; n++) await node.append(message(room, `trim-${n}`));
  const { first, head } = await node.read(room, 'node', { mode: 'none' });
  assert.ok(first > doomed && head - first >= 9, `${first} to ${head}`);
  const keys = (await rig.admin.keys(`maru:{${room}}:*`)).map((key) => key.split(':').at(-1)).sort();
  assert.deepEqual(keys, ['ids', 'log', 'meta', 'roles']);
  assert.equal(await rig.admin.hget(roomMetaKey(room), 'first'), String(first));
  const page = await node.read(room, 'node', { mode: 'after', seq: 0, limit: 200 });
  assert.deepEqual(
    page.entries.map((entry) => entry.seq),
    Array.from({ length: head - first + 1 }, (_, i) => first + i),
  );
});

test("an erasure works in every room, but only for the user's own messages", async () => {
  const room = await publicRoom(log);
  const [own, other] = [await say(room, 'mina', 'mine'), await say(room, 'jun', 'not mine')];
  await change(room, 'mina', react(other, '👍'));
  const admin = { ...as('admin'), isAdmin: true };
  await log.act({ ...admin, room, act: { type: 'ban', user: 'mina', forMs: undefined, reason: undefined } });
  await log.act({ ...admin, clientMsgId: 'close', room, act: { type: 'close' } });
  const erase = (what: Change) => log.change({ ...as('mina'), room, change: what, isErasure: true });
  assert.equal((await change(room, 'mina', remove(own))).outcome, 'forbidden');
  assert.equal((await erase(remove(own))).outcome, 'stored');
  assert.equal((await erase(remove(own))).outcome, 'unchanged');
  assert.equal((await erase(remove(other))).outcome, 'forbidden');
  assert.equal((await erase(react(other, '👍', false))).outcome, 'stored');
});

test('an erasure works in a private room that the user has left', async () => {
  const room = `p-${'0'.repeat(30)}${++ids}`;
  await rig.admin.hset(roomMetaKey(room), { epoch: '1.a', base: '0', visibility: 'private' });
  await rig.admin.hset(roomRolesKey(room), 'mina', 'member');
  const seq = await say(room, 'mina', 'mine');
  await rig.admin.hdel(roomRolesKey(room), 'mina');
  assert.equal((await change(room, 'mina', remove(seq))).outcome, 'not_found');
  const erased = await log.change({ ...as('mina'), room, change: remove(seq), isErasure: true });
  assert.equal(erased.outcome, 'stored');
});
