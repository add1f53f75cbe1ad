import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { judgePresence } from './presence-judge.ts';
import { createRoomJudge, type RoomJudge } from './room-judge.ts';

const E1 = '1.a';
const E2 = '2.b';

const entry = (seq: number, change: Partial<Entry> = {}): Entry => ({
  room: 'r',
  epoch: E1,
  seq,
  ts: 1_000 + seq,
  type: 'text',
  from: { id: 'u', name: 'U' },
  clientMsgId: `m${seq}`,
  text: `text ${seq}`,
  ...change,
});
const all = (...seqs: number[]) => seqs.map((seq) => entry(seq));

interface Story {
  /** What each member saw, in order. */
  seen?: Record<string, Array<(judge: RoomJudge, member: string) => void>>;
  sends?: Array<(judge: RoomJudge) => void>;
  history?: Entry[];
  rollbacks?: number;
  mayLose?: boolean;
}

const joins =
  (head = 0) =>
  (judge: RoomJudge, member: string) =>
    judge.joined(member, { epoch: E1, head });
const gets =
  (...entries: Entry[]) =>
  (judge: RoomJudge, member: string) => {
    for (const one of entries) judge.received(member, one);
  };
const resumes = (answer: Parameters<RoomJudge['resumed']>[1]) => (judge: RoomJudge, member: string) =>
  judge.resumed(member, answer);
const isTold = (epoch: string, head: number) => (judge: RoomJudge, member: string) =>
  judge.told(member, { epoch, head });

const send = (seq: number, change: { connection?: string; text?: string; id?: string } = {}) => {
  const { connection = 'c', text = `text ${seq}`, id = `m${seq}` } = change;
  return (judge: RoomJudge) => judge.sent({ user: 'u', connection, clientMsgId: id, text });
};
const stored =
  (seq: number, change: Parameters<typeof send>[1] & { as?: number; epoch?: string; duplicate?: boolean } = {}) =>
  (judge: RoomJudge) =>
    send(
      seq,
      change,
    )(judge).stored({ epoch: change.epoch ?? E1, seq: change.as ?? seq, duplicate: change.duplicate ?? false });

function judgeOf({
  seen = {},
  sends = [stored(1), stored(2), stored(3)],
  history = all(1, 2, 3),
  rollbacks = 0,
  mayLose = true,
}: Story): RoomJudge {
  const judge = createRoomJudge('r');
  for (const one of sends) one(judge);
  for (const [member, steps] of Object.entries(seen)) for (const step of steps) step(judge, member);
  judge.finish({ history, rollbacks, mayLose });
  return judge;
}

const verdict = (story: Story) => judgeOf(story).violations;

const back = (head: number) => resumes({ recovered: true, epoch: E1, head, first: 1 });
const rolledBack = { ...entry(3), epoch: E2, ts: 2_000, clientMsgId: 'new', text: 'text new' };
const afterRollback = [entry(1, { epoch: E2 }), entry(2, { epoch: E2 }), rolledBack];
/** The third message was acknowledged, and goes; another one takes its place. */
const losesOne: Story = {
  sends: [stored(1), stored(2), stored(3), stored(0, { id: 'new', text: 'text new', epoch: E2, as: 3 })],
  seen: { x: [joins(), gets(...all(1, 2, 3)), isTold(E2, 2), gets(rolledBack)] },
  history: afterRollback,
  rollbacks: 1,
};

const faultless: Array<[what: string, story: Story]> = [
  ['a member sees all', { seen: { x: [joins(), gets(...all(1, 2, 3))] } }],
  ['a member joins late', { seen: { x: [joins(2), gets(entry(3))] } }],
  ['a member resumes', { seen: { x: [joins(), gets(entry(1)), back(3), gets(...all(2, 3))] } }],
  [
    'a hole is too wide and told',
    {
      sends: Array.from({ length: 1_002 }, (_, index) => stored(index + 1)),
      history: Array.from({ length: 1_002 }, (_, index) => entry(index + 1)),
      seen: {
        x: [
          joins(),
          gets(entry(1)),
          resumes({ recovered: false, reason: 'too_far', epoch: E1, head: 1_002, first: 1 }),
        ],
      },
    },
  ],
  [
    'a send is repeated after a lost answer',
    { sends: [send(1), stored(2), stored(1, { duplicate: true }), stored(3)] },
  ],
  [
    'a refused send comes after a later one',
    {
      sends: [(judge) => send(3)(judge).refused(), stored(1), stored(2), stored(3)],
    },
  ],
  [
    'the log is rolled back, and everybody is told',
    {
      sends: [stored(1), stored(2), stored(3), stored(0, { id: 'new', text: 'text new', epoch: E2, as: 3 })],
      seen: {
        x: [joins(), gets(...all(1, 2, 3)), isTold(E2, 2), gets(rolledBack)],
        y: [joins(), gets(entry(1)), isTold(E2, 2), gets(...afterRollback.slice(1))],
      },
      history: afterRollback,
      rollbacks: 1,
    },
  ],
  [
    'one who was away is told of a new life',
    {
      sends: [stored(1), stored(2), stored(3), stored(0, { id: 'new', text: 'text new', epoch: E2, as: 3 })],
      seen: {
        x: [joins(), gets(...all(1, 2, 3)), isTold(E2, 2), gets(rolledBack)],
        y: [
          joins(),
          gets(...all(1, 2, 3)),
          resumes({ recovered: false, reason: 'epoch', epoch: E2, head: 3, first: 1 }),
        ],
      },
      history: afterRollback,
      rollbacks: 1,
    },
  ],
];
for (const [what, story] of faultless)
  test(`has no violations: ${what}`, () => {
    assert.deepEqual(verdict(story), []);
  });

const planted: Array<[what: string, story: Story, expected: RegExp]> = [
  [
    'I1: an acknowledged message is lost',
    { sends: [stored(1), stored(2), stored(3), stored(4)] },
    /I1: acknowledged 4/,
  ],
  [
    'I1: an acknowledgement names another message',
    { sends: [stored(1), stored(2), stored(3, { id: 'm2', text: 'text 2' }), send(3)] },
    /I1: 3 was acknowledged for another/,
  ],
  [
    'I1: a message is acknowledged at two places',
    { sends: [stored(1), stored(2), stored(3), stored(3, { as: 2 })] },
    /I1: .*(another|as 3 and as 2)/,
  ],
  [
    'I1: the log begins a new life by itself',
    {
      seen: { x: [joins(), gets(...all(1, 2, 3)), isTold(E2, 3)] },
      history: all(1, 2, 3).map((one) => ({ ...one, epoch: E2 })),
    },
    /I1: the log began 1 new lives/,
  ],
  [
    'I1: a rollback takes more than it may',
    {
      sends: [stored(1), stored(2), stored(3)],
      seen: { x: [joins(), gets(...all(1, 2, 3)), isTold(E2, 2)] },
      history: [entry(1, { epoch: E2 })],
      rollbacks: 1,
    },
    /I1: acknowledged 2 is not in history/,
  ],
  [
    'I1: an acknowledged message goes in a failover that may lose none',
    { ...losesOne, mayLose: false },
    /I1: 1 acknowledged messages went/,
  ],
  ['I2: a member misses an entry', { seen: { x: [joins(), gets(entry(1), entry(3))] } }, /I2: x missed 2 to 2/],
  ['I2: a member gets an entry twice', { seen: { x: [joins(), gets(...all(1, 1, 2, 3))] } }, /I2: x got 1 again/],
  [
    'I2: a resume leaves a hole',
    { seen: { x: [joins(), gets(entry(1)), back(3), gets(entry(3))] } },
    /I2: x missed 2 to 2/,
  ],
  [
    'I2: a resume doubles an entry',
    { seen: { x: [joins(), gets(entry(1)), back(3), gets(...all(1, 2, 3))] } },
    /I2: x got 1 again/,
  ],
  [
    'I2: a hole that could be closed is not',
    {
      seen: {
        x: [joins(), gets(entry(1)), resumes({ recovered: false, reason: 'too_far', epoch: E1, head: 3, first: 1 })],
      },
    },
    /I2: x at 1 was not recovered/,
  ],
  [
    'I2: a hole is blamed on trimming',
    {
      seen: {
        x: [joins(), gets(entry(1)), resumes({ recovered: false, reason: 'trimmed', epoch: E1, head: 3, first: 1 })],
      },
    },
    /I2: x at 1 was not recovered/,
  ],
  [
    'I2: a member is not told of a new life',
    {
      seen: { x: [joins(), gets(...all(1, 2)), gets(entry(3, { epoch: E2 }))] },
      history: all(1, 2, 3).map((one) => ({ ...one, epoch: E2 })),
      rollbacks: 1,
    },
    /I2: x got 3 of another life/,
  ],
  ['I2: history has a hole', { history: [entry(1), entry(3)] }, /I2: history goes from 1 to 3/],
  [
    'I3: two members see another entry at one place',
    {
      sends: [stored(1), stored(2), stored(3)],
      seen: {
        x: [joins(), gets(...all(1, 2, 3))],
        y: [joins(1), gets(entry(2, { clientMsgId: 'm3', text: 'text 3' }), entry(3))],
      },
    },
    /I3: y got another 2/,
  ],
  [
    'I3: history holds another entry than was delivered',
    {
      seen: { x: [joins(), gets(entry(1), entry(2, { ts: 1_001 }), entry(3))] },
    },
    /I3: another 2 was delivered/,
  ],
  ['I3: sends of a connection are swapped', { sends: [stored(2), stored(1), stored(3)] }, /I3: c had 1 stored after 2/],
  ['I3: the time falls', { history: [entry(1), entry(2, { ts: 5 }), entry(3)] }, /I3: the time falls at 2/],
  ['I4: something appears that nobody sent', { sends: [stored(1), stored(2)] }, /I4: nobody sent 3/],
  [
    'I4: a member sees what is not in history',
    {
      sends: [stored(1), stored(2), stored(3), send(4)],
      seen: { x: [joins(), gets(...all(1, 2, 3, 4))] },
    },
    /I4: 4 was delivered and is not in history/,
  ],
  [
    'I4: a text was changed on its way',
    { seen: { x: [joins(), gets(entry(1, { text: 'other' }), ...all(2, 3))] } },
    /I4: the text of 1/,
  ],
  ['I5: a member does not reach the end', { seen: { x: [joins(), gets(...all(1, 2))] } }, /I5: x ends at 2/],
  [
    'I7: an unacknowledged message is stored twice',
    {
      sends: [send(1), stored(2), stored(3)],
      history: [...all(1, 2, 3), entry(4, { clientMsgId: 'm1', text: 'text 1' })],
    },
    /I7: one message is stored as 1 and 4/,
  ],
];
for (const [what, story, expected] of planted)
  test(`is seen: ${what}`, () => {
    assert.match(verdict(story).join('\n'), expected);
  });

test('what was acknowledged and went with the end of the log is counted, and what was sent again is not', () => {
  assert.equal(judgeOf({}).lost, 0);
  assert.equal(judgeOf(losesOne).lost, 1);
  const again = entry(4, { epoch: E2, ts: 2_001, clientMsgId: 'm3', text: 'text 3' });
  const sentAgain: Story = {
    sends: [...(losesOne.sends ?? []), stored(3, { epoch: E2, as: 4 })],
    seen: { x: [...(losesOne.seen?.x ?? []), gets(again)] },
    history: [...afterRollback, again],
    rollbacks: 1,
    mayLose: false,
  };
  assert.equal(judgeOf(sentAgain).lost, 0);
  assert.deepEqual(verdict(sentAgain), []);
});

test('is seen: I6: ghosts, absentees, doubles and wrong counts', () => {
  const connected = new Set(['a', 'b']);
  assert.deepEqual(judgePresence(connected, { count: 2, users: [{ id: 'b' }, { id: 'a' }] }), []);
  assert.deepEqual(judgePresence(connected, { count: 2 }), []);
  assert.match(judgePresence(connected, { count: 3 }).join(), /I6: presence counts 3/);
  assert.match(
    judgePresence(connected, { count: 2, users: [{ id: 'a' }, { id: 'x' }] }).join(),
    /I6: ghosts: x.*I6: not shown: b/,
  );
  assert.match(
    judgePresence(connected, { count: 2, users: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] }).join(),
    /I6: somebody is shown twice/,
  );
});
