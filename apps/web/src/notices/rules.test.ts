import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry, InboxEvent, MyRoom } from '@maru/protocol/events';
import { attentionOf, titleOf } from './attention.ts';
import { type Circumstances, mayTell, type News, newsOfEntries, newsOfInbox } from './rules.ts';

const MINA = { id: 'mina', name: 'Mina' };
const news = (more: Partial<News> = {}): News => ({
  ...{ kind: 'mention', room: 'tea', seq: 9, from: MINA, text: 'hi' },
  ...more,
});
const now: Circumstances = {
  ...{ ownId: 'me', status: 'online', about: 'direct', rule: 'all', readSeq: 8, isLookedAt: false },
};

describe('news', () => {
  // Which kinds give a notice, by the rule of the room and the reader's setting.
  for (const [rule, about, expected] of [
    ['all', 'direct', ['direct', 'mention', 'invite']],
    ['all', 'all', ['direct', 'mention', 'message', 'invite']],
    ['mentions', 'direct', ['mention', 'invite']],
    ['mentions', 'all', ['mention', 'invite']],
    ['none', 'all', ['invite']],
    // A room that is not in the user's list, or not yet.
    [null, 'direct', ['direct', 'mention', 'invite']],
    [null, 'all', ['direct', 'mention', 'invite']],
  ] as const)
    it(`of a room with the rule ${rule}, with the setting ${about}: ${expected.join(', ')}`, () => {
      const kinds = (['direct', 'mention', 'message', 'invite'] as const).filter((kind) =>
        mayTell(news({ kind, seq: kind === 'invite' ? 0 : 9 }), { ...now, rule, about }),
      );
      assert.deepEqual(kinds, expected);
    });

  it('gives no notice if the reader is looking, has read it, has written it, or does not want to be disturbed', () => {
    assert.equal(mayTell(news(), now), true);
    for (const change of [{ isLookedAt: true }, { readSeq: 9 }, { status: 'dnd' }, { ownId: 'mina' }] as const)
      for (const kind of ['direct', 'mention', 'message'] as const)
        assert.equal(mayTell(news({ kind }), { ...now, about: 'all', ...change }), false);
    for (const status of ['away', 'invisible'] as const) assert.equal(mayTell(news(), { ...now, status }), true);
  });

  it('consists of live messages, and knows whom they mention', () => {
    const entry = (seq: number, more: Partial<Entry> = {}): Entry => ({
      ...{ room: 'tea', epoch: 'e', seq, ts: 0, n: seq, type: 'text', from: MINA, text: `text ${seq}` },
      ...more,
    });
    const entries = [
      entry(4),
      entry(5),
      entry(6, { mentions: ['me'] }),
      entry(7, { mentions: ['@room'] }),
      entry(8, { mentions: ['jun'] }),
      entry(9, { type: 'message.edit', data: { seq: 4, text: 'x' } }),
      entry(10, { text: '' }),
      entry(11, { type: 'of the future' }),
    ];
    const found = (isDirect: boolean) =>
      newsOfEntries('tea', entries, { ownId: 'me', afterSeq: 4, isDirect }).map(({ seq, kind }) => `${seq} ${kind}`);
    assert.deepEqual(found(false), ['5 message', '6 mention', '7 mention', '8 message']);
    assert.deepEqual(found(true), ['5 direct', '6 direct', '7 direct', '8 direct']);
  });

  it('comes from the inbox for rooms that are not joined', () => {
    const message = { room: 'd-1', seq: 3, ts: 0, n: 3, from: MINA, text: 'hi' };
    const of = (event: InboxEvent) => newsOfInbox(event)?.kind ?? null;
    assert.equal(of({ type: 'message', ...message }), 'direct');
    assert.equal(of({ type: 'mention', ...message }), 'mention');
    assert.equal(of({ type: 'invite', room: 'p-1', title: 'Tea', from: MINA }), 'invite');
    assert.equal(of({ type: 'invite', room: 'd-1', title: '', from: MINA }), null);
    assert.equal(of({ type: 'removed', room: 'p-1', reason: 'kicked' }), null);
    assert.equal(of({ type: 'read', room: 'p-1', seq: 1, n: 1, unread: 0, mentions: 0 }), null);
  });
});

describe('attention', () => {
  const room = (id: string, more: Partial<MyRoom>): MyRoom => ({
    ...{ room: id, title: '', visibility: 'public', role: 'member', epoch: 'e', head: 9, n: 9 },
    ...{ read: { seq: 0, n: 0 }, unread: 0, mentions: 0, notify: 'all' },
    ...more,
  });
  type Given = Parameters<typeof attentionOf>;
  const of = (rooms: MyRoom[], shown: Given[1] = null, open: Given[2] = []) => {
    const { count, hasOthers } = attentionOf(rooms, shown, open);
    return `${count}${hasOthers ? ' and others' : ''}`;
  };

  it('counts direct messages and mentions in all rooms, by their rules', () => {
    assert.equal(of([]), '0');
    assert.equal(of([room('a', { unread: 4 })]), '0 and others');
    assert.equal(of([room('a', { unread: 4, mentions: 2 })]), '2 and others');
    assert.equal(of([room('a', { unread: 2, mentions: 2 })]), '2');
    assert.equal(of([room('a', { unread: 4, mentions: 2, notify: 'mentions' })]), '2');
    assert.equal(of([room('a', { unread: 4, mentions: 2, notify: 'none' })]), '0');
    assert.equal(of([room('d', { unread: 3, visibility: 'direct' })]), '3');
    assert.equal(of([room('d', { unread: 3, mentions: 1, visibility: 'direct', notify: 'mentions' })]), '1');
    const both = [room('a', { unread: 4, mentions: 2 }), room('d', { unread: 3, visibility: 'direct' })];
    assert.equal(of(both), '5 and others');
  });

  it('uses the count of the room on the screen, which is newer than the list', () => {
    const rooms = [room('a', { unread: 4, mentions: 2 }), room('b', { unread: 1, mentions: 1 })];
    assert.equal(of(rooms, { room: 'a', unread: 0 }), '1');
    assert.equal(of(rooms, { room: 'a', unread: 1 }), '2');
    assert.equal(of(rooms, { room: 'elsewhere', unread: 7 }), '3 and others');
    assert.equal(of([], { room: 'elsewhere', unread: 0 }), '0');
  });

  it('counts mentions in open rooms that are not in the list', () => {
    const open = ['a', 'b', 'c'].map((id) => ({ room: id, mentions: 2 }));
    assert.equal(of([room('a', { unread: 1, mentions: 1 })], { room: 'b', unread: 0 }, open), '3');
  });

  it('is shown in the title', () => {
    assert.equal(titleOf({ count: 3, hasOthers: true }, '#tea'), '(3) #tea · Maru');
    assert.equal(titleOf({ count: 0, hasOthers: true }, 'Mina'), '• Mina · Maru');
    assert.equal(titleOf({ count: 0, hasOthers: false }, '#tea'), '#tea · Maru');
    assert.equal(titleOf({ count: 1, hasOthers: false }, ''), '(1) Maru');
  });
});
