import assert from 'node:assert/strict';
import { it } from 'node:test';
import { en as conversationEn } from '../conversation/words/en.ts';
import { ko as conversationKo } from '../conversation/words/ko.ts';
import { en as moderationEn } from '../moderation/words/en.ts';
import { ko as moderationKo } from '../moderation/words/ko.ts';
import { en } from './en.ts';
import { chooseLanguage, loadCatalogue } from './index.ts';
import { ko } from './ko.ts';

it('speaks the first of the reader’s languages that it knows', () => {
  assert.equal(chooseLanguage(['ko-KR', 'en'], null), 'ko');
  assert.equal(chooseLanguage(['fr', 'KO'], null), 'ko');
  assert.equal(chooseLanguage(['de-DE'], null), 'en');
  assert.equal(chooseLanguage([], null), 'en');
  assert.equal(chooseLanguage(['ko'], 'en'), 'en');
  assert.equal(chooseLanguage(['ko'], 'xx'), 'ko');
});

it('says something for every key, in every language', async () => {
  for (const [catalogue, all] of [
    [await loadCatalogue('en'), en] as const,
    [await loadCatalogue('ko'), en] as const,
    [moderationKo, moderationEn] as const,
    [conversationKo, conversationEn] as const,
  ]) {
    assert.deepEqual(Object.keys(catalogue).sort(), Object.keys(all).sort());
    for (const [key, words] of Object.entries(catalogue)) {
      const said = typeof words === 'function' ? (words as (value: never) => string)(3 as never) : words;
      assert.ok(typeof said === 'object' || said.trim().length > 0, key);
    }
  }
});

it('left nothing in English in the Korean catalogue', () => {
  for (const [key, words] of Object.entries({ ...ko, ...moderationKo, ...conversationKo, ...moderationKo.roles })) {
    if (typeof words === 'string' && key !== 'otherLanguage') assert.match(words, /[가-힣]/, key);
  }
});
