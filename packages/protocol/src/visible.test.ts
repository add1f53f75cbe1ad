import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayName, text } from './schemas.ts';
import { hasHiddenInName, hasVisible } from './visible.ts';

const BLANKS = [
  ...['\u3164', '\u200b', '\u2060', '\ufeff', '\u00ad', '\u115f', '\u2800', '\u200d', '\uffa0', '\u{e0020}'],
  ...['\ufe0f', '\u180e', '\u034f', ' \u200b\n', '\u00a0', '\u3000', '\u0301'.repeat(40), ''],
];
const VISIBLE = ['👩‍👩‍👧', 'می‌روم', '준', 'Mina', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '❤️', 'क्‍ष', 'a b', '1'];

test('a name or a text without a visible character is refused', () => {
  for (const blank of BLANKS) {
    const shown = JSON.stringify(blank);
    assert.equal(hasVisible(blank), false, shown);
    assert.equal(displayName.safeParse(blank).success, false, shown);
    assert.equal(text.safeParse(blank).success, false, shown);
  }
});

test('joiners inside words and emoji are kept', () => {
  for (const name of VISIBLE) {
    assert.equal(displayName.safeParse(name).success, true, name);
    assert.equal(text.parse(name), name);
  }
});

test('a name that looks like another because of hidden characters is refused, a text is accepted', () => {
  for (const name of [
    'Mi\u200bna',
    'Mina\u2060',
    '\u200dMina',
    'Mina\u200c',
    'Mi\u200dna',
    '민\u200d아',
    'Mi\u00adna',
    'a\u3164',
  ]) {
    assert.equal(hasHiddenInName(name), true, JSON.stringify(name));
    assert.equal(displayName.safeParse(name).success, false, JSON.stringify(name));
    assert.equal(text.safeParse(name).success, true, JSON.stringify(name));
  }
});
