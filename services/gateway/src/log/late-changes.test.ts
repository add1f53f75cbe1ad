/** What the log records for the archive, and changes of messages that only the archive has. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { roomLateKey, roomMetaKey, roomOverlayKey, roomPinsKey } from '../keys.ts';
import type { HotChangeResult, HotLog, MessageFacts } from './hot-log.ts';
import type { Change } from './room-log.ts';
import { type LogRig, message, publicRoom, startLogRig } from './testing/log-rig.ts';

let rig: LogRig;
let log: HotLog;
before(async () => {
  rig = await startLogRig();
  log = await rig.node({ entriesMin: 10, entriesMax: 10 });
});
after(() => rig.stop());

let ids = 0;
const by = (userId: string) => ({
  userId,
  userName: userId,
  clientMsgId: `id-${++ids}`,
  isAdmin: false,
  mayStore: true,
});
const seqOf = (result: HotChangeResult): number => ('seq' in result ? result.seq : assert.fail(result.outcome));
const change = async (room: string, user: string, what: Change): Promise<number> =>
  seqOf(await log.change({ ...by(user), room, change: what }));
const late = (room: string, user: string, what: Change, facts: MessageFacts | 'ask') =>
  log.changeArchived({ ...by(user), room, change: what }, facts);

const send = (thread?: number): Change => ({ type: 'send', text: 'text', thread, mentions: undefined });
const edit = (seq: number): Change => ({ type: 'edit', seq, text: 'edited', mentions: undefined });
const remove = (seq: number): Change => ({ type: 'delete', seq, reason: undefined });
const react = (seq: number, emoji = '👍', active = true): Change => ({ type: 'react', seq, emoji, active });
const pin = (seq: number, active = true): Change => ({ type: 'pin', seq, active });

const newestOf = async (room: string, seq: number) => Number(await rig.admin.hget(roomOverlayKey(room), `l${seq}`));

test('each change is recorded as the newest one of its message', async () => {
  const room = await publicRoom(log);
  const moderator = { ...by('admin'), isAdmin: true };
  const root = await change(room, 'mina', send());
  const acts: Change[] = [edit(root), react(root), react(root, '👍', false), send(root)];
  for (const act of acts) {
    const seq = await change(room, 'mina', act);
    assert.equal(await newestOf(room, root), seq, act.type);
  }
  for (const active of [true, false]) {
    const pinned = await log.change({ ...moderator, clientMsgId: `pin-${active}`, room, change: pin(root, active) });
    assert.equal(await newestOf(room, root), seqOf(pinned));
  }
  const reply = await change(room, 'mina', send(root));
  const deletion = await change(room, 'mina', remove(reply));
  assert.deepEqual([await newestOf(room, reply), await newestOf(room, root)], [deletion, deletion]);
  assert.equal(await rig.admin.exists(roomLateKey(room)), 0);
});

/** A room whose first message has left the log, and the seq of that message. */
async function roomWithArchived(): Promise<[room: string, seq: number]> {
  const room = await publicRoom(log);
  const seq = await change(room, 'mina', send());
  for (let n = 0; n < 140; n++) await log.append(message(room, `id-${++ids}`));
  const { first } = await log.read(room, 'node', { mode: 'none' });
  assert.ok(first > seq);
  await rig.admin.hset(roomMetaKey(room), { archived: first + 5, archivedFrom: 1 });
  return [room, seq];
}

const facts: MessageFacts = {
  ...{ expected: '', author: 'mina', thread: undefined, deleted: false, edits: [], mentions: [] },
  ...{ emoji: 0, hasEmoji: false, active: false, pinned: false },
};
const lateOf = (room: string) => rig.admin.zrange(roomLateKey(room), '0', '-1');

test('a change of an archived message needs facts, and they must include the newest change', async () => {
  const [room, seq] = await roomWithArchived();
  assert.deepEqual(await log.change({ ...by('mina'), room, change: react(seq) }), {
    outcome: 'not_found',
    what: 'message',
  });
  assert.deepEqual(await late(room, 'jun', react(seq), 'ask'), { outcome: 'archived' });
  const first = seqOf(await late(room, 'jun', react(seq), facts));
  assert.deepEqual(await lateOf(room), [`${seq}\n${first}`]);
  assert.equal(await newestOf(room, seq), first);
  assert.deepEqual(await late(room, 'mina', edit(seq), facts), { outcome: 'retry' });
  const known = { ...facts, expected: String(first), emoji: 1, hasEmoji: true };
  const second = seqOf(await late(room, 'mina', edit(seq), known));
  assert.deepEqual(await lateOf(room), [`${seq}\n${first}`, `${seq}\n${second}`]);
  const { head } = await log.read(room, 'node', { mode: 'none' });
  assert.deepEqual(await late(room, 'jun', react(head + 1), 'ask'), { outcome: 'not_found', what: 'message' });
});

test('a change of an archived message is refused for the same reasons as any other', async () => {
  const [room, seq] = await roomWithArchived();
  const outcome = async (user: string, what: Change, known: Partial<MessageFacts> = {}) => {
    const result = await late(room, user, what, { ...facts, ...known });
    return 'why' in result ? `${result.outcome} ${result.why}` : result.outcome;
  };
  assert.equal(await outcome('jun', edit(seq)), 'forbidden author');
  assert.equal(await outcome('jun', remove(seq)), 'forbidden author');
  assert.equal(await outcome('jun', pin(seq)), 'forbidden role');
  assert.equal(await outcome('jun', send(seq), { thread: 1 }), 'invalid');
  assert.equal(await outcome('jun', send(seq), { deleted: true }), 'not_found');
  assert.equal(await outcome('mina', edit(seq), { deleted: true }), 'not_found');
  assert.equal(
    await outcome('mina', edit(seq), { edits: Array.from({ length: 1_000 }, (_, i) => i) }),
    'conflict edits',
  );
  assert.equal(await outcome('mina', remove(seq), { deleted: true }), 'unchanged');
  assert.equal(await outcome('jun', react(seq), { active: true }), 'unchanged');
  assert.equal(await outcome('jun', react(seq, '👍', false)), 'unchanged');
  assert.equal(await outcome('jun', react(seq), { emoji: 20 }), 'conflict emoji');
  assert.deepEqual(await lateOf(room), []);
});

test('a late deletion erases edits in the log, unpins, and also concerns the root', async () => {
  const [room, seq] = await roomWithArchived();
  const edited = seqOf(await late(room, 'mina', edit(seq), facts));
  await rig.admin.zadd(roomPinsKey(room), seq, seq);
  const known = { ...facts, expected: String(edited), edits: [edited], thread: 1, pinned: true };
  const deleted = seqOf(await late(room, 'mina', remove(seq), known));
  const { entries } = await log.read(room, 'node', { mode: 'after', seq: edited - 1, limit: 1 });
  assert.equal(entries[0]?.tail, `"data":{"seq":${seq}},"erased":true`);
  assert.equal(await rig.admin.zcard(roomPinsKey(room)), 0);
  assert.ok((await lateOf(room)).includes(`1\n${deleted}`), 'the root');
});

test('the deletion of a reply is recorded for a root that has left the log', async () => {
  const [room, root] = await roomWithArchived();
  const reply = seqOf(await late(room, 'jun', send(root), facts));
  const deleted = await change(room, 'jun', remove(reply));
  assert.deepEqual(await lateOf(room), [`${root}\n${reply}`, `${root}\n${deleted}`]);
});
