import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beginningOf, createFolds, FOLD, isLong } from './fold.ts';
import { createFormatter } from './formatter.ts';
import { ownRoute } from './links.ts';
import { isJumbo, marksIn } from './marks.ts';
import { hasMarkup, plainParts, plainText } from './markup.ts';

describe('hasMarkup', () => {
  it('is false for most messages, so they need no parser', () => {
    for (const text of ['안녕하세요', 'Hello, see you at 10:30!', '2026. 11. 29.', '@Kim hi', 'a - b', '>_<', '^^'])
      assert.equal(hasMarkup(text), text === '>_<', text);
  });
});

describe('plainText', () => {
  it('removes markers', () => {
    const cases: Record<string, string> = {
      '**강조**는 *b* ~~c~~ `d`': '강조는 b c d',
      '**"강조"**는': '"강조"는',
      '```js\nlet a;\n```': 'let a;',
      '> a\n- b\n3. c': 'a\nb\n3. c',
      '[label](https://a.example/b)': 'label',
      'https://a.example/b_c': 'https://a.example/b_c',
      '2*3*4 snake_case a~~': '2*3*4 snake_case a~~',
      '<b>*a*</b>': '<b>a</b>',
    };
    for (const [text, expected] of Object.entries(cases)) assert.equal(plainText(text), expected, text);
  });
});

describe('plainParts', () => {
  it('removes markers wherever a text is split', () => {
    for (const text of ['**강조**는 *b* ~~c~~ `d`', '> a\n- b 😀', '[label](https://a.example/b) x', 'none'])
      for (let cut = 0; cut <= text.length; cut++) {
        const parts = plainParts([{ text: text.slice(0, cut) }, { text: text.slice(cut), isMarked: true }]);
        assert.equal(parts.map((part) => part.text).join(''), plainText(text), `${text} at ${cut}`);
      }
  });

  it('keeps the highlight of a word', () => {
    const parts = [
      { text: 'a **', isMarked: false },
      { text: 'page', isMarked: true },
      { text: '** b', isMarked: false },
    ];
    assert.deepEqual(plainParts(parts), [
      { text: 'a ', isMarked: false },
      { text: 'page', isMarked: true },
      { text: ' b', isMarked: false },
    ]);
  });
});

describe('folding', () => {
  const lines = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index}`).join('\n');

  it('folds texts with too many lines or characters', () => {
    assert.equal(isLong(lines(FOLD.linesMax)), false);
    assert.equal(isLong(lines(FOLD.linesMax + 1)), true);
    assert.equal(isLong('a'.repeat(FOLD.charsMax)), false);
    assert.equal(isLong('a'.repeat(FOLD.charsMax + 1)), true);
  });

  it('cuts between lines, words or characters', () => {
    assert.equal(beginningOf(lines(30)), lines(FOLD.linesShown));
    const words = '단어 '.repeat(1_000);
    assert.match(beginningOf(words), /단어$/);
    assert.ok(beginningOf(words).length > FOLD.charsShown - 10);
    const family = '👩‍👩‍👧'.repeat(500);
    const shown = beginningOf(family);
    assert.equal(shown, '👩‍👩‍👧'.repeat(shown.length / '👩‍👩‍👧'.length));
    assert.ok(beginningOf(`a${'\u0301'.repeat(2_000)}`).length > 0);
  });

  it('remembers which texts are expanded', () => {
    const folds = createFolds();
    folds.set('a', true);
    assert.deepEqual([folds.isOpen('a'), folds.isOpen('b')], [true, false]);
    folds.set('a', false);
    assert.equal(folds.isOpen('a'), false);
  });
});

describe('marksIn', () => {
  const names = new Map([
    ['1', 'Kim'],
    ['2', 'Kim Min'],
    ['3', 'C++ (fan)'],
  ]);
  const mentionsIn = (text: string, mentions: string[]) =>
    marksIn(text, { mentions, names, ownId: '2' }).flatMap((mark) =>
      mark.kind === 'mention' ? [`${mark.text}${mark.isOwn ? '!' : ''}`] : [],
    );

  it('finds the users whom the message mentions', () => {
    assert.deepEqual(mentionsIn('@Kim @Kim Min님 @C++ (fan)에게', ['1', '2', '3']), [
      '@Kim',
      '@Kim Min!',
      '@C++ (fan)',
    ]);
    assert.deepEqual(mentionsIn('@Kim @Kimberly a@Kim', ['1']), ['@Kim']);
    assert.deepEqual(mentionsIn('@Kim', []), []);
    assert.deepEqual(mentionsIn('@모두 @Kim', ['@room']), ['@모두!', '@Kim!']);
  });

  it('finds names with any characters', () => {
    const name = 'a-b /\\^$.*+?()[]{}|-';
    const marks = marksIn(`@${name}, hi`, { mentions: ['1'], names: new Map([['1', name]]), ownId: '2' });
    assert.deepEqual(marks[0], { kind: 'mention', text: `@${name}`, isOwn: false });
  });

  it('marks stacks of combining marks, but no real script', () => {
    const stacks = (text: string) =>
      marksIn(text, { mentions: [], names, ownId: '2' }).filter(({ kind }) => kind === 'stack').length;
    assert.equal(stacks(`a${'\u0301'.repeat(20)}b`), 1);
    const scripts = ['Tiếng Việt'.normalize('NFD'), 'ที่นี่', '한국어'.normalize('NFD'), 'שָׁלוֹם', 'हिन्दी', 'བསྒྲུབས'];
    for (const text of scripts) assert.equal(stacks(text), 0, text);
  });

  it('keeps all characters', () => {
    const text = `@Kim ${'e\u0301\u0301\u0301\u0301\u0301\u0301\u0301'} @Kim`;
    const marks = marksIn(text, { mentions: ['1'], names, ownId: '2' });
    assert.equal(marks.map((mark) => mark.text).join(''), text);
  });
});

it('shows one to three emoji large', () => {
  for (const text of ['👍', '👍 🎉', '👨‍👩‍👧‍👦🇰🇷❤️', ' 👍🏽 ']) assert.ok(isJumbo(text), text);
  for (const text of ['', '1', '#', '👍👍👍👍', '👍 a', '©', '①']) assert.ok(!isJumbo(text), text);
});

it('knows the addresses of its own rooms', () => {
  const own = (href: string) => ownRoute(href, 'https://chat.example');
  assert.deepEqual(own('https://chat.example/r/lobby'), { view: 'room', room: 'lobby', seq: null });
  assert.deepEqual(own('https://chat.example/r/lobby/12'), { view: 'room', room: 'lobby', seq: 12 });
  assert.deepEqual(own('https://chat.example/#/lobby/12'), { view: 'room', room: 'lobby', seq: 12 });
  for (const href of [
    'https://chat.example/api',
    'https://chat.example/',
    'https://a.example/r/lobby',
    'mailto:a@b.example',
  ])
    assert.equal(own(href), null, href);
});

describe('createFormatter', () => {
  it('loads once, notifies subscribers, and tries again after a failure', async () => {
    const loads: Array<PromiseWithResolvers<string>> = [];
    const formatter = createFormatter(() => {
      const load = Promise.withResolvers<string>();
      loads.push(load);
      return load.promise;
    });
    let changes = 0;
    formatter.subscribe(() => changes++);
    formatter.load();
    formatter.load();
    assert.equal(loads.length, 1);
    loads[0]?.reject(new Error('offline'));
    await new Promise(setImmediate);
    assert.equal(formatter.get(), null);
    formatter.load();
    loads[1]?.resolve('the parser');
    await new Promise(setImmediate);
    formatter.load();
    assert.equal(formatter.get(), 'the parser');
    assert.deepEqual([loads.length, changes], [2, 1]);
  });
});
