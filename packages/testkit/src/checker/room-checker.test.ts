import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { RoomChecker } from './room-checker.ts';

const E1 = '1.a';
const E2 = '2.b';

const entry = (seq: number, change: Partial<Entry> = {}): Entry => ({
  room: 'r',
  epoch: E1,
  seq,
  ts: 1_000 + seq,
  n: seq,
  type: 'text',
  from: { id: 'u', name: 'U' },
  clientMsgId: `m${seq}`,
  text: `text ${seq}`,
  ...change,
});
const all = (...seqs: number[]) => seqs.map((seq) => entry(seq));

interface Story {
  /** What happened to each member, in order. */
  seen?: Record<string, Array<(checker: RoomChecker, member: string) => void>>;
  sends?: Array<(checker: RoomChecker) => void>;
  history?: Entry[];
  rollbacks?: number;
  mayLose?: boolean;
}

const joins =
  (head = 0) =>
  (checker: RoomChecker, member: string) =>
    checker.joined(member, { epoch: E1, head });
const receives =
  (...entries: Entry[]) =>
  (checker: RoomChecker, member: string) => {
    for (const one of entries) checker.received(member, one);
  };
const resumes = (answer: Parameters<RoomChecker['resumed']>[1]) => (checker: RoomChecker, member: string) =>
  checker.resumed(member, answer);
const learns = (epoch: string, head: number) => (checker: RoomChecker, member: string) =>
  checker.epochChanged(member, { epoch, head });

const send = (seq: number, change: { connection?: string; text?: string; id?: string } = {}) => {
  const { connection = 'c', text = `text ${seq}`, id = `m${seq}` } = change;
  return (checker: RoomChecker) => checker.sent({ user: 'u', connection, clientMsgId: id, text });
};
const stored =
  (seq: number, change: Parameters<typeof send>[1] & { as?: number; epoch?: string; duplicate?: boolean } = {}) =>
  (checker: RoomChecker) =>
    send(
      seq,
      change,
    )(checker).stored({ epoch: change.epoch ?? E1, seq: change.as ?? seq, duplicate: change.duplicate ?? false });

function checkStory({
  seen = {},
  sends = [stored(1), stored(2), stored(3)],
  history = all(1, 2, 3),
  rollbacks = 0,
  mayLose = true,
}: Story): RoomChecker {
  const checker = new RoomChecker('r');
  for (const one of sends) one(checker);
  for (const [member, steps] of Object.entries(seen)) for (const step of steps) step(checker, member);
  checker.finish({ history, rollbacks, mayLose });
  return checker;
}

const verdict = (story: Story) => checkStory(story).violations;

const back = (head: number) => resumes({ recovered: true, epoch: E1, head, n: head, first: 1 });
const rolledBack = { ...entry(3), epoch: E2, ts: 2_000, clientMsgId: 'new', text: 'text new' };
const afterRollback = [entry(1, { epoch: E2 }), entry(2, { epoch: E2 }), rolledBack];
/** The rollback removes the third message, which was acknowledged. Another one takes its seq. */
const losesOne: Story = {
  sends: [stored(1), stored(2), stored(3), stored(0, { id: 'new', text: 'text new', epoch: E2, as: 3 })],
  seen: { x: [joins(), receives(...all(1, 2, 3)), learns(E2, 2), receives(rolledBack)] },
  history: afterRollback,
  rollbacks: 1,
};

const faultless: Array<[what: string, story: Story]> = [
  ['a member receives everything', { seen: { x: [joins(), receives(...all(1, 2, 3))] } }],
  ['a member joins late', { seen: { x: [joins(2), receives(entry(3))] } }],
  ['a member resumes', { seen: { x: [joins(), receives(entry(1)), back(3), receives(...all(2, 3))] } }],
  [
    'the server declares a gap that is too large',
    {
      sends: Array.from({ length: 1_002 }, (_, index) => stored(index + 1)),
      history: Array.from({ length: 1_002 }, (_, index) => entry(index + 1)),
      seen: {
        x: [
          joins(),
          receives(entry(1)),
          resumes({ recovered: false, reason: 'too_far', epoch: E1, head: 1_002, n: 1_002, first: 1 }),
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
      sends: [(checker) => send(3)(checker).refused(), stored(1), stored(2), stored(3)],
    },
  ],
  [
    'the log is rolled back and all members are notified',
    {
      sends: [stored(1), stored(2), stored(3), stored(0, { id: 'new', text: 'text new', epoch: E2, as: 3 })],
      seen: {
        x: [joins(), receives(...all(1, 2, 3)), learns(E2, 2), receives(rolledBack)],
        y: [joins(), receives(entry(1)), learns(E2, 2), receives(...afterRollback.slice(1))],
      },
      history: afterRollback,
      rollbacks: 1,
    },
  ],
  [
    'a member that was away is notified of a new epoch',
    {
      sends: [stored(1), stored(2), stored(3), stored(0, { id: 'new', text: 'text new', epoch: E2, as: 3 })],
      seen: {
        x: [joins(), receives(...all(1, 2, 3)), learns(E2, 2), receives(rolledBack)],
        y: [
          joins(),
          receives(...all(1, 2, 3)),
          resumes({ recovered: false, reason: 'epoch', epoch: E2, head: 3, n: 3, first: 1 }),
        ],
      },
      history: afterRollback,
      rollbacks: 1,
    },
  ],
];
for (const [what, story] of faultless)
  test(`no violations: ${what}`, () => {
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
    'I1: the log begins a new epoch without a rollback',
    {
      seen: { x: [joins(), receives(...all(1, 2, 3)), learns(E2, 3)] },
      history: all(1, 2, 3).map((one) => ({ ...one, epoch: E2 })),
    },
    /I1: the log began 1 new epochs/,
  ],
  [
    'I1: a rollback takes more than it may',
    {
      sends: [stored(1), stored(2), stored(3)],
      seen: { x: [joins(), receives(...all(1, 2, 3)), learns(E2, 2)] },
      history: [entry(1, { epoch: E2 })],
      rollbacks: 1,
    },
    /I1: acknowledged 2 is not in history/,
  ],
  [
    'I1: a rollback that must not lose messages removes an acknowledged one',
    { ...losesOne, mayLose: false },
    /I1: a rollback removed 1 acknowledged/,
  ],
  ['I2: a member misses an entry', { seen: { x: [joins(), receives(entry(1), entry(3))] } }, /I2: x missed 2 to 2/],
  [
    'I2: a member receives an entry twice',
    { seen: { x: [joins(), receives(...all(1, 1, 2, 3))] } },
    /I2: x got 1 again/,
  ],
  [
    'I2: a resume leaves a gap',
    { seen: { x: [joins(), receives(entry(1)), back(3), receives(entry(3))] } },
    /I2: x missed 2 to 2/,
  ],
  [
    'I2: a resume doubles an entry',
    { seen: { x: [joins(), receives(entry(1)), back(3), receives(...all(1, 2, 3))] } },
    /I2: x got 1 again/,
  ],
  [
    'I2: the server declares a gap that it could close',
    {
      seen: {
        x: [
          joins(),
          receives(entry(1)),
          resumes({ recovered: false, reason: 'too_far', epoch: E1, head: 3, n: 3, first: 1 }),
        ],
      },
    },
    /I2: x at 1 was not recovered/,
  ],
  [
    'I2: the server declares a trimmed gap although it keeps the entries',
    {
      seen: {
        x: [
          joins(),
          receives(entry(1)),
          resumes({ recovered: false, reason: 'trimmed', epoch: E1, head: 3, n: 3, first: 1 }),
        ],
      },
    },
    /I2: x at 1 was not recovered/,
  ],
  [
    'I2: a member is not notified of a new epoch',
    {
      seen: { x: [joins(), receives(...all(1, 2)), receives(entry(3, { epoch: E2 }))] },
      history: all(1, 2, 3).map((one) => ({ ...one, epoch: E2 })),
      rollbacks: 1,
    },
    /I2: x got 3 of another epoch/,
  ],
  ['I2: history has a gap', { history: [entry(1), entry(3)] }, /I2: history goes from 1 to 3/],
  [
    'I3: two members receive different entries under one number',
    {
      sends: [stored(1), stored(2), stored(3)],
      seen: {
        x: [joins(), receives(...all(1, 2, 3))],
        y: [joins(1), receives(entry(2, { clientMsgId: 'm3', text: 'text 3' }), entry(3))],
      },
    },
    /I3: y got another 2/,
  ],
  [
    'I3: history has another entry than was delivered',
    {
      seen: { x: [joins(), receives(entry(1), entry(2, { ts: 1_001 }), entry(3))] },
    },
    /I3: another 2 was delivered/,
  ],
  ['I3: sends of a connection are swapped', { sends: [stored(2), stored(1), stored(3)] }, /I3: c had 1 stored after 2/],
  ['I3: ts decreases', { history: [entry(1), entry(2, { ts: 5 }), entry(3)] }, /I3: ts decreases at 2/],
  ['I4: an entry appears that was not sent', { sends: [stored(1), stored(2)] }, /I4: 3 was not sent/],
  [
    'I4: a member receives an entry that is not in history',
    {
      sends: [stored(1), stored(2), stored(3), send(4)],
      seen: { x: [joins(), receives(...all(1, 2, 3, 4))] },
    },
    /I4: 4 was delivered and is not in history/,
  ],
  [
    'I4: a text is changed',
    { seen: { x: [joins(), receives(entry(1, { text: 'other' }), ...all(2, 3))] } },
    /I4: the text of 1/,
  ],
  ['I5: a member does not reach the end', { seen: { x: [joins(), receives(...all(1, 2))] } }, /I5: x ends at 2/],
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
  test(`finds ${what}`, () => {
    assert.match(verdict(story).join('\n'), expected);
  });

test('counts acknowledged messages that a rollback removed, unless they were sent again', () => {
  assert.equal(checkStory({}).lost, 0);
  assert.equal(checkStory(losesOne).lost, 1);
  const again = entry(4, { epoch: E2, ts: 2_001, clientMsgId: 'm3', text: 'text 3' });
  const sentAgain: Story = {
    sends: [...(losesOne.sends ?? []), stored(3, { epoch: E2, as: 4 })],
    seen: { x: [...(losesOne.seen?.x ?? []), receives(again)] },
    history: [...afterRollback, again],
    rollbacks: 1,
    mayLose: false,
  };
  assert.equal(checkStory(sentAgain).lost, 0);
  assert.deepEqual(verdict(sentAgain), []);
});
