/**
 * A random test against a model. The hot log of each room keeps a few entries. An archiver copies
 * and trims at random moments, also during reads. Every page and every decision must equal that of
 * the model, which keeps the whole log.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Entry, MaruError } from '@maru/protocol';
import fc from 'fast-check';
import { toEntry } from '../log/entry-codec.ts';
import type { HistoryStore } from '../log/history-store.ts';
import { type Change, type MessagesPiece, oldestOf, type ReadPiece, type RoomLog } from '../log/room-log.ts';
import { comparable, entriesNow, messagesOf } from '../log/testing/log-model.ts';
import { publicRoom } from '../log/testing/log-rig.ts';
import { type ArchivedRig, startArchivedRig } from './testing/archived-rig.ts';

const ACTS = 160;
/** More users than the list of reactors holds, so that some lists are incomplete. */
const USERS = ['mina', 'jun', 'bo', 'mod', ...Array.from({ length: 10 }, (_, index) => `u${index}`)];
const EMOJI = ['👍', '/'];
const READER = 'jun';

let rig: ArchivedRig;
/** Runs once before a call of the archive, if set. `again`: the call applies changes. */
let disturb: ((again: boolean) => Promise<unknown> | undefined) | undefined;
let node: RoomLog;

before(async () => {
  rig = await startArchivedRig();
  const disturbed = (history: HistoryStore): HistoryStore => ({
    async readPage(query, options) {
      const work = disturb?.(options.changes !== undefined);
      if (work !== undefined) disturb = undefined;
      await work;
      return history.readPage(query, options);
    },
  });
  node = await rig.node({ history: disturbed });
});
after(() => rig.stop());

/** The model: the whole log of a room. */
class Model {
  readonly room: string;
  log: Entry[] = [];

  constructor(room: string) {
    this.room = room;
  }

  async follow(): Promise<void> {
    const piece = { mode: 'appended', seq: this.log.length, limit: 50 } as const;
    const { epoch, entries } = await rig.hot.read(this.room, 'node', piece);
    this.log.push(...entries.map((entry) => toEntry(this.room, epoch, entry)));
  }

  /** The outcome of a change according to the contract. */
  outcomeOf(user: string, change: Change): string {
    const seq = change.type === 'send' ? change.thread : change.seq;
    if (seq === undefined) return 'stored';
    const message = messagesOf(this.log, user).get(seq);
    if (message === undefined || (message.deleted !== undefined && change.type !== 'delete')) return 'not_found';
    const isModerator = user === 'mod';
    switch (change.type) {
      case 'send':
        return message.thread === undefined ? 'stored' : 'invalid';
      case 'edit':
        return message.from.id === user ? 'stored' : 'forbidden';
      case 'delete':
        if (message.from.id !== user && !isModerator) return 'forbidden';
        return message.deleted === undefined ? 'stored' : 'unchanged';
      case 'pin':
        if (!isModerator) return 'forbidden';
        return (message.pinned === true) === change.active ? 'unchanged' : 'stored';
      case 'react': {
        const mine = message.reactions?.some((one) => one.emoji === change.emoji && one.mine) === true;
        return mine === change.active ? 'unchanged' : 'stored';
      }
    }
  }
}

let ids = 0;
async function act(model: Model, log: RoomLog, user: string, change: Change): Promise<string> {
  const request = { userId: user, userName: user, clientMsgId: `id-${++ids}`, isAdmin: false, mayStore: true };
  const { outcome } = await log.change({ ...request, room: model.room, change });
  await model.follow();
  return outcome;
}

type Read = Partial<Record<'thread' | 'ts', number>> & {
  mode: MessagesPiece['mode'];
  seq: number;
  limit: number;
  of: 'entries' | 'messages' | 'thread' | 'pinned';
};

function pageOf<E extends { seq: number }>(all: E[], { mode, limit }: Read, isOlder: (one: E) => boolean) {
  const [older, newer] = [all.filter(isOlder), all.filter((one) => !isOlder(one))];
  const half = Math.ceil(limit / 2);
  const olderShown = older.slice(-(mode === 'around' || mode === 'at' ? half : limit));
  const shown = mode === 'after' ? [] : olderShown;
  const newerCount = mode === 'newest' || mode === 'before' ? 0 : limit - shown.length;
  return {
    shown: [...shown, ...newer.slice(0, newerCount)],
    hasMore: older.length > shown.length,
    hasNewer: newer.length > newerCount,
  };
}

const divide =
  ({ mode, seq, ts = 0 }: Read) =>
  (one: { seq: number; ts: number }): boolean => {
    if (mode === 'newest') return true;
    if (mode === 'at') return one.ts < ts;
    return mode === 'before' ? one.seq < seq : one.seq <= seq;
  };

async function checkEntries(model: Model, read: Read): Promise<void> {
  const mode = read.mode === 'before' || read.mode === 'after' ? read.mode : 'newest';
  const piece: ReadPiece = mode === 'newest' ? { mode, limit: read.limit } : { mode, seq: read.seq, limit: read.limit };
  const result = await node.read(model.room, { userId: READER }, piece);
  await model.follow();
  const log = model.log.slice(0, result.head);
  const { shown } = pageOf(entriesNow(log, READER), { ...read, mode }, divide({ ...read, mode }));
  const found = result.entries.map((entry) => toEntry(model.room, result.epoch, entry));
  assert.deepEqual(found.map(comparable), shown.map(comparable), JSON.stringify(piece));
  assert.equal(oldestOf(result), 1);
}

async function checkMessages(model: Model, read: Read): Promise<void> {
  const { mode, seq, limit, of, thread, ts } = read;
  const piece: MessagesPiece = {
    ...{ mode, limit, pinned: of === 'pinned', thread: of === 'thread' ? thread : undefined },
    seq: mode === 'at' ? (ts ?? 0) : seq,
  };
  const what = JSON.stringify(piece);
  const [result] = await Promise.allSettled([node.readMessages(model.room, READER, piece)]);
  await model.follow();
  const head = result.status === 'fulfilled' ? result.value.head : model.log.length;
  const messages = [...messagesOf(model.log.slice(0, head), READER).values()];
  const root = messages.find((one) => one.seq === thread);
  const refusal =
    of === 'thread' && root === undefined
      ? 'not_found'
      : of === 'thread' && root?.thread !== undefined
        ? 'invalid'
        : mode === 'around' && seq > head
          ? 'not_found'
          : undefined;
  if (result.status === 'rejected' || refusal !== undefined) {
    const code = result.status === 'rejected' && result.reason instanceof MaruError ? result.reason.code : result;
    assert.equal(code, refusal, what);
    return;
  }
  const all = messages.filter((one) =>
    of === 'thread' ? one.thread === thread : of === 'pinned' ? one.pinned === true : true,
  );
  const { shown, ...more } = pageOf(all, read, divide(read));
  const { epoch, entries, hasMore, hasNewer } = result.value;
  const found = entries.map((entry) => toEntry(model.room, epoch, entry));
  assert.deepEqual(found.map(comparable), shown.map(comparable), what);
  assert.deepEqual({ hasMore, hasNewer }, more, what);
}

const step = fc.record({
  kind: fc.constantFrom(
    'send',
    'send',
    'reply',
    'edit',
    'delete',
    'pin',
    'react',
    'react',
    'copy',
    'trim',
    'read',
    'read',
  ),
  user: fc.constantFrom(...USERS),
  author: fc.boolean(),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  active: fc.boolean(),
  emoji: fc.constantFrom(...EMOJI),
  count: fc.integer({ min: 1, max: 12 }),
  mode: fc.constantFrom<MessagesPiece['mode'][]>('newest', 'before', 'after', 'around', 'at'),
  of: fc.constantFrom<Read['of'][]>('entries', 'messages', 'thread', 'pinned'),
  disturbance: fc.constantFrom('none', 'none', 'trim', 'copy', 'act', 'act and copy', 'act and trim'),
  again: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Usually the seq of a message. Some acts target other entries. */
function targetOf(model: Model, { place, count, kind }: Step): number {
  const wanted = kind === 'reply' || kind === 'read' ? 'root' : 'message';
  const all = model.log.filter((one) => one.type === 'text' && (wanted === 'message' || one.thread === undefined));
  if (count === 1 || all.length === 0) return Math.max(1, Math.floor(place * model.log.length));
  return all[Math.floor(place * (all.length - 1))]?.seq ?? 1;
}

function changeOf(model: Model, one: Step): Change {
  const seq = targetOf(model, one);
  const { active, emoji, kind } = one;
  const text = `text ${++ids} "x" ","thread":1`;
  if (kind === 'edit') return { type: 'edit', seq, text, mentions: undefined };
  if (kind === 'delete') return { type: 'delete', seq, reason: undefined };
  if (kind === 'pin') return { type: 'pin', seq, active };
  if (kind === 'react') return { type: 'react', seq, emoji, active };
  return { type: 'send', text, thread: kind === 'reply' ? seq : undefined, mentions: undefined };
}

/**
 * Lets another change happen in the middle of the next read, before one of its calls of the
 * archive.
 */
function disturbNext(model: Model, one: Step, seq: number): void {
  const { count, disturbance, author, active } = one;
  const change: Change =
    count % 3 === 0
      ? { type: 'pin', seq, active: !active }
      : author
        ? { type: 'react', seq, emoji: '👍', active: !active }
        : { type: 'delete', seq, reason: undefined };
  const works: Record<string, Array<() => Promise<unknown>>> = {
    act: [() => act(model, node, 'mod', change)],
    copy: [() => rig.copy(model.room, 200)],
    trim: [() => rig.trim(model.room)],
  };
  const all = disturbance.split(' and ').flatMap((name) => works[name] ?? []);
  if (all.length === 0) return;
  disturb = (again) => {
    if (again !== one.again) return undefined;
    // An act may also read the archive.
    disturb = undefined;
    return all.reduce<Promise<unknown>>((before, work) => before.then(work), Promise.resolve());
  };
}

async function run(model: Model, one: Step): Promise<void> {
  const { kind, count } = one;
  if (kind === 'copy') await rig.copy(model.room, count);
  else if (kind === 'trim') await rig.trim(model.room);
  else if (kind === 'read') {
    const at = model.log[Math.floor(one.place * (model.log.length - 1))];
    const read = { ...one, seq: Math.max(1, Math.floor(one.place * (model.log.length + 2))), limit: count };
    disturbNext(model, one, targetOf(model, one));
    await checkEntries(model, read);
    disturbNext(model, one, targetOf(model, one));
    if (one.of !== 'entries')
      await checkMessages(model, { ...read, thread: targetOf(model, one), ts: (at?.ts ?? 0) + (one.active ? 1 : 0) });
  } else {
    const change = changeOf(model, one);
    const seq = 'seq' in change ? change.seq : 0;
    const author = model.log[seq - 1]?.from.id;
    const user = one.author && author !== undefined ? author : one.user;
    const expected = model.outcomeOf(user, change);
    assert.equal(await act(model, node, user, change), expected, `${user} ${JSON.stringify(change)}`);
    // In most runs, the archive does not have this change yet.
    if (seq > 0 && expected === 'stored') await checkAround(model, one, seq);
  }
  disturb = undefined;
}

async function checkAround(model: Model, one: Step, seq: number): Promise<void> {
  const root = messagesOf(model.log, READER).get(seq)?.thread;
  for (const around of root === undefined ? [seq] : [seq, root]) {
    disturbNext(model, one, around);
    await checkEntries(model, { ...one, mode: 'before', seq: around + 3, limit: one.count });
    disturbNext(model, one, around);
    await checkMessages(model, { ...one, mode: 'around', of: 'messages', seq: around, limit: one.count });
  }
}

test('reads and changes of archived messages equal those of a complete log', async () => {
  const seed = Number(process.env.MARU_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (MARU_TEST_SEED)`);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: ACTS, maxLength: ACTS }), async (steps) => {
      const model = new Model(await publicRoom(rig.hot));
      const role = { type: 'role', user: 'mod', role: 'moderator' } as const;
      const by = { userId: 'admin', userName: 'Admin', clientMsgId: 'role', isAdmin: true, mayStore: true };
      await rig.hot.act({ ...by, room: model.room, act: role });
      await model.follow();
      for (const one of steps) await run(model, one);
      for (const kind of ['entries', 'messages', 'pinned'] as const) {
        const read: Read = { mode: 'newest', seq: 1, limit: 200, of: kind };
        if (kind === 'entries') await checkEntries(model, read);
        else await checkMessages(model, read);
      }
    }),
    { seed, numRuns: Number(process.env.MARU_TEST_RUNS ?? 6), endOnFailure: true },
  );
});
