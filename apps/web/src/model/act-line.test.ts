import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ActEntries, Entry } from '@maru/protocol/events';
import { words as en } from '../i18n/en/acts.ts';
import { words as ko } from '../i18n/ko/acts.ts';
import { actLine, shutOutEntry } from './act-line.ts';

const entry = (type: string, data: unknown, seq = 1): Entry => ({
  room: 'lobby',
  epoch: 'e1',
  seq,
  ts: 0,
  n: 0,
  type,
  from: { id: 'mina', name: 'Mina' },
  data,
});
const say = (language: 'en' | 'ko', stored: Entry) =>
  actLine(stored, {
    t: { en, ko }[language],
    nameOf: (id) => (id === 'jun' ? 'Jun' : id),
    untilText: (untilTs) => `T${untilTs}`,
  })?.replace(/[\u2068\u2069]/g, '') ?? null;

const LINES: Array<[keyof ActEntries, object, string, string]> = [
  ['room.kick', { user: 'jun', untilTs: 9 }, 'Mina removed Jun until T9', 'Mina님이 Jun님을 T9까지 내보냈습니다'],
  [
    'room.ban',
    { user: 'jun', untilTs: 9, reason: 'spam' },
    'Mina banned Jun until T9: spam',
    'Mina님이 Jun님을 T9까지 차단했습니다: spam',
  ],
  ['room.ban', { user: 'jun' }, 'Mina banned Jun', 'Mina님이 Jun님을 차단했습니다'],
  ['room.mute', { user: 'x' }, 'Mina muted x', 'Mina님이 x님의 말하기를 막았습니다'],
  ['room.unban', { user: 'jun' }, 'Mina lifted the ban of Jun', 'Mina님이 Jun님의 차단을 풀었습니다'],
  ['room.role', { user: 'jun', role: 'owner' }, 'Mina made Jun an owner', 'Mina님이 Jun님을 방장으로 지정했습니다'],
  ['room.leave', { user: 'mina' }, 'mina left the room for good', 'mina님이 방에서 완전히 나갔습니다'],
  [
    'room.update',
    { title: 'Tea', slowModeS: 0 },
    'Mina set the title: Tea · Mina ended slow mode',
    'Mina님이 제목을 정했습니다: Tea · Mina님이 천천히 모드를 껐습니다',
  ],
];
for (const [type, data, inEnglish, inKorean] of LINES) {
  it(`describes in both languages: ${inEnglish}`, () => {
    assert.equal(say('en', entry(type, data)), inEnglish);
    assert.equal(say('ko', entry(type, data)), inKorean);
  });
}

it('has no line for messages, unknown types and empty updates', () => {
  for (const other of [entry('text', undefined), entry('room.new', { user: 'jun' }), entry('room.update', {})])
    assert.equal(say('en', other), null);
});

it('isolates a name of another direction, so it does not reorder the sentence', () => {
  const line = actLine(entry('room.ban', { user: 'jun' }), {
    t: en,
    nameOf: () => '\u05d0\u05d1',
    untilText: String,
  });
  assert.ok(line?.includes('\u2068\u05d0\u05d1\u2069'));
});

it('finds the newest act that excluded the user', () => {
  const entries = [
    entry('room.ban', { user: 'jun' }, 1),
    entry('room.kick', { user: 'jun' }, 2),
    entry('room.ban', { user: 'other' }, 3),
    entry('room.mute', { user: 'jun' }, 4),
  ];
  assert.equal(shutOutEntry(entries, 'jun')?.seq, 2);
  assert.equal(shutOutEntry(entries, 'mina'), null);
});
