/** Entries that are not messages: acts on messages, and acts on a room such as an invitation. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import type { MessageAct } from './content.ts';
import { RoomChecker } from './room-checker.ts';

const entry = (seq: number, n: number, more: Partial<Entry>): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1_000 + seq,
  n,
  type: 'text',
  from: { id: 'u', name: 'U' },
  clientMsgId: `m${seq}`,
  ...more,
});

suite('acts on a room', () => {
  const invitation = (seq: number, user: string): Entry => {
    const { clientMsgId: _, ...act } = entry(seq, 0, { type: 'room.invite', data: { user } });
    return act;
  };
  const history = [invitation(1, 'jun'), invitation(2, 'mina')];

  function violationsOf(received: Entry[]): string[] {
    const checker = new RoomChecker('r');
    checker.joined('x', { epoch: 'e', head: 0 });
    for (const one of received) checker.received('x', one);
    return checker.finish({ history, rollbacks: 0 });
  }

  test('need no id and are not checked against sent messages', () => assert.deepEqual(violationsOf(history), []));

  test('must reach every member in the same form as in history', () => {
    assert.match(violationsOf([invitation(1, 'jun')]).join(), /I5: x ends at 1/);
    assert.match(violationsOf([invitation(1, 'jun'), invitation(2, 'mallory')]).join(), /I3: another 2 was delivered/);
  });
});

const edit: MessageAct = { type: 'message.edit', data: { seq: 1, text: 'new' } };
const reaction: MessageAct = { type: 'message.react', data: { seq: 1, emoji: '👍', active: true } };
const deletion: MessageAct = { type: 'message.delete', data: { seq: 2 } };

/** u sent two messages, edited and reacted to the first, deleted the second. x saw all of it. */
function story() {
  const live = [
    entry(1, 1, { text: 'old' }),
    entry(2, 2, { text: 'wrong' }),
    entry(3, 2, { ...edit }),
    entry(4, 2, { ...reaction }),
    entry(5, 2, { ...deletion }),
  ];
  const history = structuredClone(live);
  Object.assign(history[0] as Entry, { text: 'new', edited: { ts: 1_003 } });
  Object.assign(history[1] as Entry, { text: '', deleted: { ts: 1_005, by: 'u' }, erased: true });
  const checker = new RoomChecker('r');
  const send = (content: { text: string } | { act: MessageAct }, clientMsgId: string) =>
    checker.sent({ ...content, user: 'u', connection: 'c', clientMsgId });
  checker.asks('x');
  checker.joined('x', { epoch: 'e', head: 0 });
  const stored = (seq: number) => ({ epoch: 'e', seq, duplicate: false });
  for (const [index, text] of ['old', 'wrong'].entries()) send({ text }, `m${index + 1}`).stored(stored(index + 1));
  for (const [index, act] of [edit, reaction, deletion].entries())
    send({ act }, `m${index + 3}`).stored(stored(index + 3));
  return { live, history, checker, send };
}

const violations = (change: (changed: ReturnType<typeof story>) => void = () => {}) => {
  const changed = story();
  change(changed);
  for (const one of changed.live) changed.checker.received('x', one);
  return changed.checker.finish({ history: changed.history, rollbacks: 0, mayLose: false }).join('; ');
};

suite('acts on messages', () => {
  test('are correct in an unchanged story', () => assert.equal(violations(), ''));

  test('are delivered in the form in which they were sent', () => {
    const found = violations(({ live }) => Object.assign(live[2] as Entry, { data: { seq: 1, text: 'other' } }));
    assert.match(found, /I4: the text of 3 is not what was sent/);
    const wrong = violations(({ live }) =>
      Object.assign(live[3] as Entry, { data: { ...reaction.data, emoji: '👎' } }),
    );
    assert.match(wrong, /I4: 4 is not what was sent/);
    const moved = violations(({ live }) => Object.assign(live[0] as Entry, { thread: 3 }));
    assert.match(moved, /I4: 1 is not what was sent/);
  });

  test('are acknowledged only if they are stored', () => {
    const found = violations(({ send }) =>
      send({ act: reaction }, 'm9').stored({ epoch: 'e', seq: 4, duplicate: false }),
    );
    assert.match(found, /I1: 4 was acknowledged for another message/);
  });

  test('have no entry if they have no effect', () => {
    const claim = (act: MessageAct, seq: number) =>
      violations(({ send }) => send({ act }, 'm9').stored({ epoch: 'e', seq, duplicate: true }));
    assert.equal(claim(reaction, 4), '');
    assert.equal(claim(reaction, 5), '');
    assert.equal(claim(deletion, 5), '');
    assert.match(claim(reaction, 3), /I1: message.react of 1 by u was acknowledged at 3 and is not in history/);
    assert.match(claim(deletion, 4), /I1: message.delete of 2/);
    const off: MessageAct = { type: 'message.react', data: { ...reaction.data, active: false } };
    assert.match(claim(off, 5), /I1: message.react of 1/);
    assert.equal(claim(off, 3), '');
    assert.match(claim(edit, 5), /I1: 5 was acknowledged for another message/);
  });

  test('may be refused as not found only for deleted messages', () => {
    assert.equal(
      violations(({ send }) => send({ act: { ...edit, data: { seq: 2, text: 'late' } } }, 'm9').refused('not_found')),
      '',
    );
    const found = violations(({ send }) => send({ act: edit }, 'm9').refused('not_found'));
    assert.match(found, /I8: 1 was not found, and was not deleted/);
    const reply = violations(({ checker }) =>
      checker.sent({ text: 'a', thread: 1, user: 'u', connection: 'c', clientMsgId: 'm9' }).refused('not_found'),
    );
    assert.match(reply, /I8: 1 was not found/);
    const other = violations(({ send }) => send({ act: edit }, 'm9').refused('forbidden'));
    assert.match(other, /I1: an act on 1 was refused as forbidden/);
  });

  test('only deleted messages and their edits have no text', () => {
    assert.equal(
      violations(({ live }) => Object.assign(live[1] as Entry, { text: undefined, erased: true })),
      '',
    );
    const erased = violations(({ live }) => Object.assign(live[2] as Entry, { data: { seq: 1 }, erased: true }));
    assert.match(erased, /I8: 1 came without its text, and was not deleted/);
  });

  test('a member that connects after the acknowledgement of a deletion gets no text of the message', () => {
    const late = violations(({ checker, live }) => {
      checker.asks('y');
      checker.joined('y', { epoch: 'e', head: 0 });
      for (const one of live) checker.received('y', one);
    });
    assert.match(late, /I8: y got a text of 2 after its deletion/);
  });

  test('n counts messages only', () => {
    const found = violations(({ live, history }) => {
      for (const one of [live[4], history[4]]) Object.assign(one as Entry, { n: 3 });
    });
    assert.match(found, /I8: n of 5 is 3, not 2/);
  });
});
