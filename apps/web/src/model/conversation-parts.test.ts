import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message } from '@maru/client/conversation';
import type { Entry, MyRoom } from '@maru/protocol/events';
import { ACTS_MAX, noteActs, rollBackActs } from './acts.ts';
import { foundIn, insertAt, keptMentions, mentionQuery, mentionsIn, offeredFor } from './mentions.ts';
import { olderState } from './older.ts';
import { readersOf } from './readers.ts';
import { nameOfMyRoom } from './room-name.ts';

const names = new Map([
  ['me', 'Me'],
  ['mina', 'Mina Park'],
  ['jun', '준'],
]);

describe('an unfinished mention', () => {
  it('starts with an @ after a space or at the start of the text', () => {
    assert.deepEqual(mentionQuery('@', 1), { at: 0, typed: '' });
    assert.deepEqual(mentionQuery('tea @mi', 7), { at: 4, typed: 'mi' });
    assert.deepEqual(mentionQuery('tea @mi or', 7), { at: 4, typed: 'mi' });
    for (const [text, caret] of [
      ['mina@tea', 8],
      ['@mi ', 4],
      ['@@', 2],
      ['tea', 3],
      [`@${'x'.repeat(80)}`, 81],
    ] as const)
      assert.equal(mentionQuery(text, caret), null, text);
  });

  it('suggests other users by the beginning of a word of their names', () => {
    const offered = (typed: string, everyone: string | null = null) =>
      offeredFor({ at: 0, typed }, { names, ownId: 'me', everyone }).map(({ id }) => id);
    assert.deepEqual(offered(''), ['jun', 'mina']);
    assert.deepEqual(offered('', 'room'), ['@room', 'jun', 'mina']);
    assert.deepEqual(offered('PARK'), ['mina']);
    assert.deepEqual(offered('준'), ['jun']);
    assert.deepEqual(offered('ar'), []);
  });

  it('is replaced by the name', () => {
    assert.deepEqual(insertAt('tea @mi?', { at: 4, typed: 'mi' }, '@Mina Park '), {
      text: 'tea @Mina Park ?',
      caret: 15,
    });
  });

  it('counts each user once while the name is in the text, and a room mention includes all', () => {
    const [mina, jun, room] = [
      { id: 'mina', name: 'Mina Park' },
      { id: 'jun', name: '준' },
      { id: '@room', name: 'room' },
    ];
    assert.deepEqual(mentionsIn('@Mina Park and @Mina Park', [mina, jun, mina]), ['mina']);
    assert.deepEqual(mentionsIn('@room, @준', [jun, room]), ['@room']);
  });

  it('is that of the longest name, also of one that is known only', () => {
    const [min, minsu] = [
      { id: 'min', name: '김민' },
      { id: 'minsu', name: '김민수' },
    ];
    const known = new Map([['minsu', '김민수']]);
    assert.deepEqual(mentionsIn('@김민수님', [min, minsu]), ['minsu']);
    assert.deepEqual(mentionsIn('@김민수 @김민이', [min, minsu]), ['min', 'minsu']);
    assert.deepEqual(mentionsIn('@김민수', [min], known), []);
    assert.deepEqual(mentionsIn('@김민이, mail@김민', [min], known), ['min']);
    assert.deepEqual(mentionsIn('mail@김민', [min], known), []);
    const both = new Map([...known, ['min', '김민']]);
    assert.deepEqual(keptMentions({ text: '@김민 @김민수', mentions: ['min', 'minsu'] }, '@김민수', both), ['minsu']);
  });

  it('is found again by its name in a draft', () => {
    const known = new Map([...names, ['also-mina', 'Mina Park']]);
    const found = (text: string) => foundIn(text, known, 'me').map(({ id }) => id);
    assert.deepEqual(found('@준, @Me, @Mina Park and @room'), ['also-mina', 'jun']);
    assert.deepEqual(found(''), []);
  });

  it('is kept by an edit that keeps its name', () => {
    const message = { text: '@준 @Mina Park', mentions: ['jun', 'mina'] };
    assert.deepEqual(keptMentions(message, '@준 tea', names), ['jun']);
    assert.deepEqual(keptMentions({ ...message, text: 'by id' }, 'tea', names), ['jun', 'mina']);
    assert.deepEqual(keptMentions({ text: '@모두', mentions: ['@room'] }, '@모두 tea', names), ['@room']);
    assert.deepEqual(keptMentions({ text: '@모두', mentions: ['@room'] }, 'tea', names), []);
  });
});

it('counts other users who have read a message', () => {
  const readers = new Map([
    ['me', 9],
    ['mina', 5],
    ['jun', 4],
  ]);
  assert.equal(readersOf(readers, { seq: 5 } as Message, 'me'), 1);
});

it('knows whether there are older messages to load', () => {
  assert.equal(olderState({ hasOlder: true }, 1), 'more');
  assert.equal(olderState({ hasOlder: false }, 1), 'beginning');
  assert.equal(olderState({ hasOlder: false }, null), 'beginning');
  assert.equal(olderState({ hasOlder: false }, 40), 'oldest-kept');
});

it('keeps the newest acts, and drops those that a rollback removed', () => {
  const entry = (seq: number, type = 'room.mute') => ({ seq, type, data: { user: 'a' } }) as unknown as Entry;
  const none: Entry[] = [];
  assert.equal(noteActs(none, [entry(1, 'text'), entry(2, 'message.edit')]), none);
  const all = Array.from({ length: ACTS_MAX + 1 }, (_, i) => entry(i + 1));
  assert.deepEqual([noteActs(none, all).length, noteActs(none, all)[0]?.seq], [ACTS_MAX, 2]);
  assert.deepEqual(
    rollBackActs([entry(1), entry(5)], 4).map(({ seq }) => seq),
    [1],
  );
});

it('names a direct room by its other user, and other rooms by their title', () => {
  const mine = (more: Partial<MyRoom>) => nameOfMyRoom({ room: 'tea', title: '', ...more } as MyRoom, names);
  assert.deepEqual(mine({ room: 'd-1', with: 'mina' }), { name: 'Mina Park', isPerson: true });
  const last = { from: { id: 'x', name: 'Xu' } } as Entry;
  assert.deepEqual(mine({ room: 'd-1', with: 'x', last }), { name: 'Xu', isPerson: true });
  assert.deepEqual(mine({ room: 'd-1', with: 'y', last }), { name: 'y', isPerson: true });
  assert.deepEqual(mine({ room: 'p-1', title: 'Plans' }), { name: 'Plans', isPerson: false });
  assert.deepEqual(mine({ title: 'Tea time' }), { name: 'Tea time', isPerson: false });
  assert.deepEqual(mine({}), { name: 'tea', isPerson: false });
});
