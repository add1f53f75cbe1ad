import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { FakeConversation } from '../server/fake-conversation.ts';
import { RoomModel } from './room-model.ts';

const entries: Entry[] = [];
const append = (from: string, type: string, more: Partial<Entry>): void => {
  const seq = entries.length + 1;
  const n = (entries.at(-1)?.n ?? 0) + (type === 'text' ? 1 : 0);
  entries.push({ room: 'r', epoch: 'e', seq, ts: 1_000 + seq, n, type, from: { id: from, name: from }, ...more });
};
append('ann', 'text', { text: 'root', mentions: ['bob', 'ann'] });
append('bob', 'text', { text: 'reply', thread: 1, mentions: ['@room'] });
append('cyd', 'text', { text: 'gone', thread: 1, mentions: ['bob'] });
append('ann', 'message.edit', { data: { seq: 1, text: 'edited', mentions: ['bob'] } });
append('bob', 'message.react', { data: { seq: 1, emoji: '👍', active: true } });
append('cyd', 'message.react', { data: { seq: 1, emoji: '👍', active: true } });
append('bob', 'message.react', { data: { seq: 1, emoji: '👍', active: false } });
append('cyd', 'message.delete', { data: { seq: 3 } });
const conversation = new FakeConversation(entries);
conversation.erase(3);
const texts: Record<number, { text: string; mentions: string[] }> = {
  1: { text: 'root', mentions: ['bob', 'ann'] },
  2: { text: 'reply', mentions: ['@room'] },
  3: { text: 'gone', mentions: ['bob'] },
};
const history = entries.map((entry) => conversation.asNow(entry, 'x'));
const model = new RoomModel({ history, sent: ({ seq }) => texts[seq] });
const read = (user: string) =>
  history.filter(({ type }) => type === 'text').map((entry) => conversation.asNow(entry, user));

test('a correct read of each user agrees with the log', () => {
  for (const user of ['ann', 'bob', 'cyd']) assert.deepEqual(model.readDifferences(user, read(user)), []);
});

suite('reports a difference from the log in', () => {
  const changed = (change: (messages: Entry[]) => unknown) => {
    const messages = structuredClone(read('cyd'));
    change(messages);
    return model.readDifferences('cyd', messages).join('; ');
  };

  test('a text that is not the last edit', () => {
    assert.match(
      changed(([root]) => Object.assign(root as Entry, { text: 'root' })),
      /message 1: the text differs/,
    );
  });
  test('counts of replies and reactions', () => {
    assert.match(
      changed(([root]) => Object.assign(root?.replies ?? {}, { n: 2 })),
      /the number of replies is 1, not 2/,
    );
    assert.match(
      changed(([root]) => Object.assign(root?.reactions?.[0] ?? {}, { count: 2 })),
      /count is 1, not 2/,
    );
  });
  test('the reader among those who reacted', () => {
    assert.match(
      changed(([root]) => Object.assign(root?.reactions?.[0] ?? {}, { mine: false })),
      /mine is true/,
    );
  });
  test('messages that are missing or must not exist', () => {
    assert.match(
      changed((messages) => messages.splice(1, 1)),
      /message 2 is missing/,
    );
    assert.match(
      changed((messages) => messages.push({ ...(messages[0] as Entry), seq: 4 })),
      /message 4 must not be/,
    );
    const replies = model.readDifferences('cyd', read('cyd').slice(1, 2), ({ thread }) => thread === 1);
    assert.deepEqual(replies, ['message 3 is missing']);
  });
});

suite('counts of a user', () => {
  const counts = (user: string, seq: number) => {
    const { seq: at, n, unread, mentions } = conversation.read(user, seq);
    return { read: { seq: at, n }, unread, mentions };
  };

  test('agree with the log', () => {
    for (const user of ['ann', 'bob', 'cyd']) assert.deepEqual(model.countDifferences(user, counts(user, 0)), []);
    // Deleted mentions and own ones do not count.
    assert.deepEqual(
      ['ann', 'bob', 'cyd'].map((user) => model.mentions(user, 0)),
      [1, 1, 1],
    );
    assert.equal(model.mentions('ann', 2), 0);
  });

  test('are reported if they are wrong', () => {
    const right = counts('bob', 0);
    assert.match(
      model.countDifferences('bob', { ...right, unread: 2 }).join(),
      /unread of bob read up to 0 is 2, not 3/,
    );
    assert.match(
      model.countDifferences('bob', { ...right, mentions: 2 }).join(),
      /mentions of bob read up to 0 is 2, not 1/,
    );
    assert.match(
      model.countDifferences('bob', { ...right, read: { seq: 4, n: 2 } }).join(),
      /read.n of bob read up to 4 is 2, not 3/,
    );
  });

  test('do not count for users who may not read', () => {
    const closed = new RoomModel({ history, sent: ({ seq }) => texts[seq], mayRead: (user) => user !== 'bob' });
    assert.deepEqual(
      ['ann', 'bob'].map((user) => closed.mentions(user, 0)),
      [1, 0],
    );
  });
});
