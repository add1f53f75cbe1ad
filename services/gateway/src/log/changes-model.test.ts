/**
 * Random changes of messages through two nodes, compared with a model that computes the result of
 * reads from the log alone. Also with a store that runs out of memory at random times.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import fc from 'fast-check';
import { roomMentionsKey } from '../keys.ts';
import { toEntry } from './entry-codec.ts';
import type { Change, RoomLog } from './room-log.ts';
import { comparable, messagesOf } from './testing/log-model.ts';
import { type LogRig, publicRoom, startLogRig } from './testing/log-rig.ts';

const ACTS = 250;
const USERS = ['mina', 'jun', 'bo', 'mod'];
const EMOJI = ['👍', '❤️', '"', '👩‍👧'];

let rig: LogRig;
let nodes: RoomLog[];
before(async () => {
  rig = await startLogRig();
  nodes = await Promise.all([rig.node(), rig.node()]);
});
after(() => rig.stop());

type Act = { user: string; node: number; full: boolean } & (
  | { kind: 'send'; back: number; mentions: string[] }
  | { kind: 'edit'; back: number; mentions: string[] }
  | { kind: 'delete' | 'pin'; back: number; active: boolean }
  | { kind: 'react'; back: number; emoji: string; active: boolean }
);

const common = {
  user: fc.constantFrom(...USERS),
  node: fc.nat(1),
  full: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  /** Distance from the head to the target of the change. For a send, 0 means no thread. */
  back: fc.nat(20),
};
const mentions: fc.Arbitrary<string[]> = fc.oneof(
  fc.uniqueArray(fc.constantFrom(...USERS), { maxLength: 3 }),
  fc.constant<string[]>(['@room']),
  fc.constant<string[]>([]),
);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ...common, kind: fc.constant('send' as const), mentions }) },
  { weight: 2, arbitrary: fc.record({ ...common, kind: fc.constant('edit' as const), mentions }) },
  {
    weight: 1,
    arbitrary: fc.record({ ...common, kind: fc.constantFrom('delete' as const, 'pin' as const), active: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...common,
      kind: fc.constant('react' as const),
      emoji: fc.constantFrom(...EMOJI),
      active: fc.boolean(),
    }),
  },
);

function changeOf(one: Act, seq: number, number: number): Change {
  switch (one.kind) {
    case 'send':
      return {
        type: 'send',
        text: `text ${number} "x"`,
        thread: one.back === 0 ? undefined : seq,
        mentions: one.mentions,
      };
    case 'edit':
      return { type: 'edit', seq, text: `edit ${number} ","thread":1`, mentions: one.mentions };
    case 'delete':
      return { type: 'delete', seq, reason: undefined };
    case 'pin':
      return { type: 'pin', seq, active: one.active };
    case 'react':
      return { type: 'react', seq, emoji: one.emoji, active: one.active };
  }
}

/** The entries in their original form. */
async function readLog(room: string): Promise<Entry[]> {
  const node = nodes[0] as RoomLog;
  const { epoch } = await node.read(room, 'node', { mode: 'none' });
  const read = await node.read(room, 'node', { mode: 'since', position: { epoch, seq: 0 }, fallbackLimit: 0 });
  return read.entries.map((entry) => toEntry(room, epoch, entry));
}

async function readHistory(room: string, reader: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for (;;) {
    const piece = { mode: 'after', seq: found.at(-1)?.seq ?? 0, limit: 200 } as const;
    const { epoch, entries } = await (nodes[0] as RoomLog).read(room, { userId: reader }, piece);
    if (entries.length === 0) return found;
    found.push(...entries.map((entry) => toEntry(room, epoch, entry)));
  }
}

async function readMessages(room: string, reader: string, thread?: number): Promise<Entry[]> {
  const found: Entry[] = [];
  for (;;) {
    const piece = { mode: 'after', seq: found.at(-1)?.seq ?? 0, limit: 7, thread, pinned: false } as const;
    const { epoch, entries, hasNewer } = await (nodes[1] as RoomLog).readMessages(room, reader, piece);
    found.push(...entries.map((entry) => toEntry(room, epoch, entry)));
    if (!hasNewer) return found;
  }
}

async function check(room: string): Promise<void> {
  const reader = 'jun';
  const log = await readLog(room);
  assert.deepEqual(
    log.map(({ seq }) => seq),
    log.map((_, index) => index + 1),
  );
  let n = 0;
  for (const entry of log) assert.equal(entry.n, entry.type === 'text' ? ++n : n, `n of ${entry.seq}`);
  const expected = messagesOf(log, reader);
  const shown = await readMessages(room, reader);
  assert.deepEqual(shown.map(comparable), [...expected.values()].map(comparable));
  const texts = (await readHistory(room, reader)).filter(({ type }) => type === 'text');
  assert.deepEqual(texts, shown);
  for (const root of expected.values()) {
    if (root.thread !== undefined) continue;
    const replies = (await readMessages(room, reader, root.seq)).map(({ seq }) => seq);
    const wanted = [...expected.values()].filter(({ thread }) => thread === root.seq).map(({ seq }) => seq);
    assert.deepEqual(replies, wanted, `thread of ${root.seq}`);
  }
  const mentioned = [...expected.values()].flatMap(({ seq, from, mentions: users = [] }) => {
    const id = String(seq).padStart(16, '0');
    return users.flatMap((user) => {
      if (user === '@room') return [`r\n${id}`, `o\n${from.id}\n${id}`];
      return user === from.id ? [] : [`m\n${user}\n${id}`];
    });
  });
  assert.deepEqual(await rig.admin.zrange(roomMentionsKey(room), '0', '-1'), mentioned.sort());
}

test('reads match the log after any changes on two nodes, also if a full store refuses some', async () => {
  const seed = Number(process.env.MARU_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (MARU_TEST_SEED)`);
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: ACTS, maxLength: ACTS }), async (acts) => {
      const room = await publicRoom(nodes[0] as RoomLog);
      const role = { type: 'role', user: 'mod', role: 'moderator' } as const;
      const by = { userId: 'admin', userName: 'Admin', clientMsgId: 'role', isAdmin: true, mayStore: true };
      await (nodes[0] as RoomLog).act({ ...by, room, act: role });
      let head = 1;
      for (const [number, one] of acts.entries()) {
        const change = changeOf(one, Math.max(1, head - one.back), number);
        const from = {
          userId: one.user,
          userName: one.user,
          clientMsgId: `id-${number}`,
          isAdmin: false,
          mayStore: true,
        };
        if (one.full) await rig.admin.config('SET', 'maxmemory', '1');
        const result = await (nodes[one.node] as RoomLog).change({ ...from, room, change }).catch(() => undefined);
        if (one.full) await rig.admin.config('SET', 'maxmemory', '0');
        if (result !== undefined && 'seq' in result) head = Math.max(head, result.seq);
      }
      await check(room);
    }),
    { seed, numRuns: Number(process.env.MARU_TEST_RUNS ?? 12), endOnFailure: true },
  );
});
