import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { judge, type MemberLog, type Sent } from './judge.ts';

const entry = (seq: number, change: Partial<Entry> = {}): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1000 + seq,
  type: 'text',
  from: { id: 'u', name: 'U' },
  clientMsgId: `m${seq}`,
  text: `text ${seq}`,
  ...change,
});
const sent = (seq: number, change: Partial<Sent> = {}): Sent => ({
  user: 'u',
  connection: 'c',
  clientMsgId: `m${seq}`,
  text: `text ${seq}`,
  outcome: seq,
  ...change,
});
const log = (entries: Entry[], floor = 0): MemberLog => ({ member: 'x', floor, entries });
const history = [entry(1), entry(2), entry(3)];
const sends = [sent(1), sent(2), sent(3)];
const good = { history, members: [log(history)], sends, complete: true };

test('a faultless room has no violations', () => {
  assert.deepEqual(judge(good), []);
  assert.deepEqual(judge({ ...good, members: [log([entry(3)], 2)] }), []);
  assert.deepEqual(judge({ ...good, members: [log([entry(1)])], complete: false }), []);
});

const planted: Array<[what: string, room: Parameters<typeof judge>[0], expected: RegExp]> = [
  ['an acknowledged message is lost', { ...good, sends: [...sends, sent(4)] }, /I1: acknowledged 4/],
  [
    'an acknowledgement names another message',
    { ...good, sends: [sent(1), sent(2), sent(3, { clientMsgId: 'm2' })] },
    /I1: 3 was acknowledged for another/,
  ],
  ['a member misses an entry', { ...good, members: [log([entry(1), entry(3)])] }, /I2: x missed 2 to 2/],
  [
    'a member gets an entry twice',
    { ...good, members: [log([entry(1), entry(1), ...history.slice(1)])] },
    /I2: x got 1/,
  ],
  ['a member sees entries swapped', { ...good, members: [log([entry(2), entry(1), entry(3)])] }, /I2: x/],
  ['a member misses the end', { ...good, members: [log(history.slice(0, 2))] }, /I2: x ends at 2/],
  ['history has a hole', { ...good, history: [entry(1), entry(3)] }, /I2: history goes from 1 to 3/],
  [
    'a member sees other content',
    { ...good, members: [log([entry(1), entry(2, { text: 'other' }), entry(3)])] },
    /I3: x got another 2/,
  ],
  ['sends of a connection are swapped', { ...good, sends: [sent(2), sent(1), sent(3)] }, /I3: c sent 1 after 2/],
  ['something appears that nobody sent', { ...good, sends: sends.slice(1) }, /I4: nobody sent 1/],
  [
    'a text was changed',
    { ...good, sends: [sent(1, { text: 'other', outcome: 'unknown' }), sent(2), sent(3)] },
    /I4: the text of 1/,
  ],
  [
    'an unacknowledged message is stored twice',
    {
      ...good,
      history: [...history, entry(4, { clientMsgId: 'm1', text: 'text 1' })],
      members: [],
      sends: [sent(1, { outcome: 'unknown' }), sent(2), sent(3)],
    },
    /I7: one message is stored as 1 and 4/,
  ],
];
for (const [what, room, expected] of planted)
  test(`is seen: ${what}`, () => {
    assert.match(judge(room).join('\n'), expected);
  });
