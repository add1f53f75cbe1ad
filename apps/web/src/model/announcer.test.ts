import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import { fakeScheduler } from '../testing/fake-scheduler.ts';
import { type Announcement, Announcer } from './announcer.ts';

const entry = (seq: number, given: Partial<Entry> = {}): Entry => ({
  ...{ room: 'lobby', epoch: 'e1', seq, ts: seq, n: seq, type: 'text' },
  ...{ from: { id: 'mina', name: 'Mina' }, text: `text ${seq}`, ...given },
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));

function setUp() {
  const { scheduler, pass } = fakeScheduler();
  let announcements: readonly Announcement[] = [];
  let changes = 0;
  const announcer = new Announcer(scheduler, 'me', (next) => {
    announcements = next;
    changes++;
  });
  /** What a screen reader would announce. */
  const heard = () =>
    announcements.map(({ messages, moreCount }) => {
      const spoken = messages.map(({ name, text }) => `${name}: ${text}`).join(', ');
      return moreCount === 0 ? spoken : `${spoken} +${moreCount}`;
    });
  return { announcer, pass, heard, changes: () => changes };
}

it('announces messages within half a second together, and omits none', () => {
  const { announcer, pass, heard, changes } = setUp();
  for (const one of range(1, 10)) {
    announcer.note([one], 0);
    pass(30);
  }
  assert.deepEqual(heard(), []);
  pass(500);
  assert.deepEqual(heard(), ['Mina: text 1, Mina: text 2, Mina: text 3 +7']);
  assert.equal(changes(), 1);
  announcer.note(range(11, 13), 0);
  pass(500);
  assert.equal(heard()[1], 'Mina: text 11, Mina: text 12, Mina: text 13');
});

it('counts each message of a steady stream once', () => {
  const { announcer, pass, heard } = setUp();
  for (let seq = 1; seq <= 40; seq++) {
    announcer.note([entry(seq)], 0);
    pass(100);
  }
  pass(500);
  const counts = heard().map((spoken) => spoken.split(', ').length + Number(spoken.split('+')[1] ?? 0));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    40,
  );
});

it('does not announce own messages, acts, and earlier messages', () => {
  const { announcer, pass, changes } = setUp();
  announcer.note(range(1, 5), 5);
  announcer.note([entry(6, { from: { id: 'me', name: 'Me' } })], 5);
  announcer.note([entry(7, { type: 'message.edit', data: { seq: 1, text: 'new' } })], 5);
  announcer.note([entry(8, { type: 'message.react', data: { seq: 1, emoji: '👍', active: true } })], 5);
  pass(5_000);
  assert.equal(changes(), 0);
});

it('forgets a deleted message, announced or not', () => {
  const { announcer, pass, heard, changes } = setUp();
  const deletion = (seq: number, of: number) => entry(seq, { type: 'message.delete', data: { seq: of } });
  announcer.note([entry(1), entry(2), deletion(3, 2)], 0);
  pass(500);
  assert.deepEqual(heard(), ['Mina: text 1']);
  announcer.note([deletion(4, 1)], 0);
  assert.deepEqual(heard(), ['']);
  const before = changes();
  announcer.note([entry(5), deletion(6, 5)], 0);
  pass(500);
  assert.equal(changes(), before, 'nothing is left to say');
});

it('keeps only the newest announcements, and cuts long texts', () => {
  const { announcer, pass, heard } = setUp();
  for (let seq = 1; seq <= 30; seq++) {
    announcer.note([entry(seq, { text: '가'.repeat(4_000) })], 0);
    pass(500);
  }
  assert.equal(heard().length, 10);
  assert.equal(heard()[0], `Mina: ${'가'.repeat(500)}…`);
});

it('starts again when the room is shown again', () => {
  const { announcer, pass, heard } = setUp();
  announcer.note([entry(1)], 0);
  pass(500);
  announcer.note([entry(2)], 0);
  announcer.clear();
  pass(500);
  assert.deepEqual(heard(), []);
  announcer.note([entry(3)], 0);
  pass(500);
  assert.deepEqual(heard(), ['Mina: text 3']);
});

it('announces nothing after it was closed', () => {
  const { announcer, pass, changes } = setUp();
  announcer.note([entry(1)], 0);
  announcer.close();
  pass(500);
  assert.equal(changes(), 0);
});
