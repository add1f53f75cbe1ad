import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalise } from './fold.ts';
import { SEARCH_TEXT_LIMITS } from './limits.ts';
import { tokensOf } from './tokens.ts';
import { toWords } from './words.ts';

const message = { text: '', room: 'lobby', author: 'ada', ts: 0, private: false };
const anyText = fc.string({ unit: 'binary', maxLength: 300 });

test('folds case, accents and compatibility forms', () => {
  for (const [text, folded] of [
    ['Café', 'cafe'],
    ['cafe\u0301', 'cafe'],
    ['ＣＡＦＥ　１２', 'cafe 12'],
    ['İstanbul ISPARTA ısı', 'istanbul isparta isi'],
    ['Straße STRASSE STRAẞE', 'strasse strasse strasse'],
    ['ΟΔΟΣ οδός', 'οδοσ οδοσ'],
    ['ﬁn', 'fin'],
    ['한국어', '한국어'],
    ['한국어'.normalize('NFD'), '한국어'],
    ['ｶﾞｽ が か', 'ガス が か'],
    ['ㅋㅋㅏ', 'ㅋㅋㅏ'],
    ['हिन्दी', 'हिन्दी'],
    ['👍🏽', '👍🏽'],
  ] as const) {
    assert.equal(normalise(text), folded);
  }
});

test('folding a folded text changes nothing, so queries and texts are comparable', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const once = normalise(text);
      assert.equal(normalise(once), once);
    }),
  );
});

test('indexes words, pairs of characters in runs, and emoji', () => {
  assert.deepEqual([...tokensOf('Hello, hello wörld_1! 10.5')], ['hello', 'world_1', '10', '5']);
  assert.deepEqual([...tokensOf('한국어 를')], ['한국', '국어', '어', '를']);
  assert.deepEqual([...tokensOf('東京タワーへ')], ['東京', '京タ', 'タワ', 'ワー', 'ーへ', 'へ']);
  assert.deepEqual([...tokensOf('v2출시')], ['v2', '출시', '시']);
  assert.deepEqual([...tokensOf('👍🏽🇰🇷❤️')], ['👍', '🇰🇷', '❤']);
  assert.deepEqual([...tokensOf('... !? \ud800')], []);
});

test('limits the tokens of a message and their length', () => {
  const long = Array.from({ length: 6_000 }, (_, index) => `w${index}`).join(' ');
  assert.equal(tokensOf(long).size, SEARCH_TEXT_LIMITS.tokensPerMessageMax);
  assert.deepEqual([...tokensOf('𐐨'.repeat(500))], ['𐐨'.repeat(64)]);
});

test('writes lexemes, and scope tokens that no text can contain', () => {
  assert.equal(toWords({ ...message, text: "it's" }), "'it' 's' ':rlobby' ':uada' ':t0' ':p'");
  assert.equal(toWords({ ...message, room: 'r', author: "o'b\\c", private: true }), "':rr' ':uo''b\\\\c' ':t0'");
  fc.assert(
    fc.property(anyText, (text) => {
      for (const token of tokensOf(text)) assert.match(token, /^[^:'\\\s\0]+$/u);
    }),
  );
});
