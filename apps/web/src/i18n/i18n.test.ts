import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Section } from './catalogue.ts';
import { pack as english } from './en/index.ts';
import { addSections, loadWords } from './index.ts';
import { chooseLanguage, LANGUAGE_CODES, LANGUAGES, type Language, nextLanguage } from './languages.ts';
import { pluralsOf } from './plural.ts';
import { sentenceOf } from './sentence.ts';

it('chooses the first of the reader’s languages that it has', () => {
  assert.equal(chooseLanguage(['ko-KR', 'en'], null), 'ko');
  assert.equal(chooseLanguage(['fr', 'KO'], null), 'ko');
  assert.equal(chooseLanguage(['de-DE'], null), 'en');
  assert.equal(chooseLanguage([], null), 'en');
  assert.equal(chooseLanguage(['ko'], 'en'), 'en');
  assert.equal(chooseLanguage(['ko'], 'xx'), 'ko');
});

it('cycles through all languages', () => {
  const seen = new Set<Language>();
  for (let language: Language = 'en'; !seen.has(language); language = nextLanguage(language)) seen.add(language);
  assert.deepEqual([...seen].sort(), [...LANGUAGE_CODES].sort());
});

it('uses the plural forms of the language', () => {
  const plural = pluralsOf<'one'>('en');
  const forms = { one: '# reply', other: '# replies' };
  assert.deepEqual(
    [0, 1, 2, 1_234].map((count) => plural(count, forms)),
    ['0 replies', '1 reply', '2 replies', '1,234 replies'],
  );
  const polish = pluralsOf<'one' | 'few' | 'many'>('pl');
  const words = { one: '# list', few: '# listy', many: '# listów', other: '# listu' };
  assert.deepEqual(
    [1, 3, 5].map((count) => polish(count, words)),
    ['1 list', '3 listy', '5 listów'],
  );
});

it('puts elements where the language puts the names', () => {
  const say = (one: string, other: string) => `${other}, then ${one}.`;
  assert.deepEqual(sentenceOf(say, 'A', 'B'), ['', 'B', ', then ', 'A', '.']);
});

const SECTIONS = Object.keys(english.sections) as Section[];

/** All texts of a language, by names such as `search.title`. */
async function allWords(language: Language): Promise<Map<string, unknown>> {
  const { pack } = await LANGUAGES[language].load();
  const all = new Map<string, unknown>();
  const add = (prefix: string, words: object) => {
    for (const [key, value] of Object.entries(words)) {
      if (typeof value === 'object' && value !== null) add(`${prefix}.${key}`, value);
      else all.set(`${prefix}.${key}`, value);
    }
  };
  add('main', pack.main);
  for (const section of SECTIONS) add(section, await pack.sections[section]());
  return all;
}

describe('each language', async () => {
  const expected = [...(await allWords('en')).keys()].sort();
  for (const language of LANGUAGE_CODES) {
    it(`has a text for every key: ${language}`, async () => {
      const all = await allWords(language);
      assert.deepEqual([...all.keys()].sort(), expected);
      for (const [key, words] of all) {
        const said = typeof words === 'function' ? (words as (value: never) => unknown)(3 as never) : words;
        assert.ok(typeof said === 'string' && said.trim() !== '', key);
      }
    });
  }
});

it('has no English text in the Korean catalogue', async () => {
  for (const [key, words] of await allWords('ko')) if (typeof words === 'string') assert.match(words, /[가-힣]/, key);
});

it('loads the texts of a section on first use, and again after a change of the language', async () => {
  const words = await loadWords('en');
  assert.deepEqual(words.sections, {});
  await addSections(words, ['search']);
  assert.equal(words.sections.search?.title, 'Search');
  assert.deepEqual(Object.keys((await loadWords('ko')).sections), ['search']);
});
