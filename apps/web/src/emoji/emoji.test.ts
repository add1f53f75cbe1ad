import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { emojiLines } from '../../emoji-plugin.ts';
import { OFFERED_EMOJI } from '../model/emoji.ts';
import { findEmoji, indexOf } from './find.ts';
import { emojiQuery } from './query.ts';

const require = createRequire(import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(require.resolve(`emojibase-data/${file}`), 'utf8'));
const english = indexOf(emojiLines(read('en/compact.json'), read('en/shortcodes/emojibase.json')));
const korean = indexOf(emojiLines(read('ko/compact.json'), {}));

const find = (index: typeof english, query: string) => findEmoji([index], query, 12).map(({ emoji }) => emoji);

describe('findEmoji', () => {
  it('finds emoji by the beginning of a word, in both languages', () => {
    assert.ok(find(english, 'smi').includes('😄'));
    assert.ok(find(english, 'tada').includes('🎉'));
    assert.ok(find(english, 'Thumbsup').includes('👍'));
    assert.equal(find(english, 'thumbs up')[0], '👍');
    assert.ok(find(korean, '웃').includes('😀'));
    assert.equal(find(korean, '하트')[0], '♥️');
    assert.ok(find(korean, '엄지').includes('👍'));
    assert.deepEqual(find(english, 'qqqq'), []);
  });

  it('finds Korean words while their syllables are being composed', () => {
    for (const typed of ['ㅇ', '우', '웃', '웃ㄴ', '웃느', '웃는']) {
      const found = findEmoji([korean], typed, 2_000).map(({ emoji }) => emoji);
      assert.ok(found.includes('😀'), typed);
    }
  });

  it('puts exact names first, and each emoji once', () => {
    const both = findEmoji([korean, english], 'cat', 50).map(({ emoji }) => emoji);
    assert.equal(both[0], '🐈');
    assert.equal(new Set(both).size, both.length);
  });

  it('has every emoji once, in both languages', () => {
    const all = english.map(({ emoji }) => emoji);
    assert.ok(all.length > 1_800);
    assert.equal(new Set(all).size, all.length);
    assert.deepEqual(
      korean.map(({ emoji }) => emoji),
      all,
    );
    for (const emoji of OFFERED_EMOJI) assert.ok(all.includes(emoji), emoji);
    for (const { emoji, name } of [...english, ...korean]) assert.ok(name !== '' && !/[|\n]/.test(emoji + name), emoji);
  });
});

describe('emojiQuery', () => {
  const typedIn = (text: string) => emojiQuery(text, text.length)?.typed ?? null;

  it('is the name after a colon', () => {
    assert.equal(typedIn(':smi'), 'smi');
    assert.equal(typedIn('hi :웃'), '웃');
    assert.deepEqual(emojiQuery('a :heart b', 8), { at: 2, typed: 'heart' });
    assert.equal(typedIn(':+1'), '+1');
  });

  it('ignores faces, times and addresses', () => {
    for (const text of [':D', ':)', ':', '10:30', 'https://a', 'a:bc', ': smile', '::', ':smile:'])
      assert.equal(typedIn(text), null, text);
  });
});
