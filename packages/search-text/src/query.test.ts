import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalise } from './fold.ts';
import { matches } from './match.ts';
import { piecesOf } from './pieces.ts';
import { type ParsedQuery, parseQuery } from './query.ts';
import { snippetOf } from './snippet.ts';
import { tokensOf } from './tokens.ts';
import { tokensOfQuery, toTsQuery } from './ts-query.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc
    .array(fc.constantFrom('한국어를', '검색', 'Café', 'naïve-ish', '東京タワー', '👩‍👩‍👧', 'ß', ' ', '\n', 'İ', 'ｶﾞ'), {
      maxLength: 40,
    })
    .map((parts) => parts.join('')),
);

const parse = (query: string): ParsedQuery => parseQuery(query) ?? assert.fail(`invalid: ${query}`);
const finds = (query: string, text: string) => {
  const parsed = parse(query);
  const tokens = [...tokensOf(text)];
  const found = tokensOfQuery(parsed).every(({ token, prefix }) =>
    tokens.some((one) => (prefix ? one.startsWith(token) : one === token)),
  );
  const isMatch = matches(text, parsed);
  if (isMatch) assert.ok(found, `the index does not find ${query}`);
  return isMatch;
};

test('finds words in any script, case and form', () => {
  for (const [query, text] of [
    ['cafe', 'Un CAFÉ noir'],
    ['CAFÉ', 'cafe'],
    ['istanbul', 'İSTANBUL'],
    ['strasse', 'Straße'],
    ['ｈｅｌｌｏ', 'hello'],
    ['국', '한국어를 배워요'],
    ['를', '한국어를'],
    ['한국', '한국어를'],
    ['국어를', '한국어를'],
    ['한국 배워', '한국어를 배워요'],
    ['ㅋㅋ', '그래ㅋㅋㅋ'],
    ['京', '東京都'],
    ['京都', '東京都'],
    ['ガス', 'ｶﾞｽ'],
    ['北京 大学', '我在北京大学'],
    ['👍', '좋아요 👍🏽!'],
    ['สวัส', 'สวัสดีครับ'],
    ["don't", 'I don’t know'],
    ['3월', '내년 3월에'],
    ['"한국 사람"', '우리 한국 사람들은'],
    ['"quick brown"', 'the quick, brown fox'],
  ] as const) {
    assert.ok(finds(query, text), `${query} in ${text}`);
  }
});

test('finds no other words', () => {
  for (const [query, text] of [
    ['cafe noir', 'Un café'],
    ['afe', 'cafe'],
    ['かく', 'がく'],
    ['가나다', '나다 가나'],
    ['"brown quick"', 'the quick brown fox'],
    ['"quick fox"', 'the quick brown fox'],
    ['"국 사람"', '한국어 사람'],
    ["don't", 'don a t'],
  ] as const) {
    assert.ok(!finds(query, text), `${query} in ${text}`);
  }
});

test('only the last word, without a space after it, matches longer words', () => {
  assert.ok(finds('hello wor', 'hello world'));
  assert.ok(!finds('hello wor ', 'hello world'));
  assert.ok(!finds('hel world', 'hello world'));
  assert.ok(!finds('"hello wor"', 'hello world'));
  assert.ok(!finds('w', 'hello world'));
});

test('excludes texts with an excluded word or phrase', () => {
  assert.ok(!finds('hello -world', 'hello world'));
  assert.ok(finds('hello -wor', 'hello world'));
  assert.ok(!finds('hello -"b c"', 'hello a b c'));
  assert.ok(finds('hello -"b c"', 'hello c b'));
  assert.ok(finds('안녕 -가나다', '안녕 나다 가나'));
});

test('refuses queries without a word, or with too many', () => {
  for (const query of ['', ' ', '-', '""', '-word', '?! …', '\ud800', '\0', 'a '.repeat(13)]) {
    assert.equal(parseQuery(query), undefined);
  }
});

test('builds the tokens of the query in its scope', () => {
  const scope = { public: false, rooms: ['p-1', 'd-2'] };
  assert.equal(
    toTsQuery(parse("it's -no -가나다 -국 wor"), {
      public: true,
      rooms: ['p-1'],
      author: "o'b",
      without: ['r'],
      periods: [3, 4],
    }),
    "'it' & 's' & 'wor':* & !'no' & !'국':* & !':rr' & ':uo''b' & (':p' | ':rp-1') & (':t3' | ':t4')",
  );
  assert.equal(toTsQuery(parse('국 가나다'), scope), "'국':* & '가나' & '나다' & (':rp-1' | ':rd-2')");
  assert.equal(toTsQuery(parse('a '), { public: false, rooms: [] }), "'a' & (':r')");
  assert.equal(toTsQuery(parse('a '), { public: true, rooms: 'all' }), "'a'");
  assert.ok(tokensOfQuery(parse('가나다라마바사'.repeat(30))).length <= 48);
});

test('a text is found by each of its words', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const { text: word } of piecesOf(normalise(text))) assert.ok(finds(word, text), JSON.stringify(word));
    }),
  );
});

test('a run is found by each of its parts', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'가나다漢字かなタ'), minLength: 1 }),
      fc.nat(),
      fc.nat(),
      (run, a, b) => {
        const from = a % run.length;
        assert.ok(finds(run.slice(from, from + 1 + (b % (run.length - from))), `x ${run} y`));
      },
    ),
  );
});

test('marks cover the matches, and split no character', () => {
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  fc.assert(
    fc.property(anyText, fc.nat(), fc.integer({ min: 8, max: 120 }), (text, choice, charsMax) => {
      const words = piecesOf(normalise(text));
      const word = words[choice % Math.max(1, words.length)]?.text ?? 'x';
      const snippet = snippetOf(text, parse(word), charsMax);
      assert.ok(snippet.text.length <= charsMax);
      const edges = new Set([
        snippet.text.length,
        ...Array.from(segmenter.segment(snippet.text), ({ index }) => index),
      ]);
      let last = 0;
      for (const [start, end] of snippet.marks) {
        assert.ok(start >= last && end > start && end <= snippet.text.length);
        assert.ok(edges.has(start) && edges.has(end));
        last = end;
        const cut = (start <= 1 || end >= snippet.text.length - 1) && text.length > charsMax;
        if (!cut) assert.ok(normalise(snippet.text.slice(start, end)).includes(word));
      }
    }),
  );
});

test('a snippet shows the first match and its surroundings', () => {
  assert.deepEqual(snippetOf('Un café, un CAFÉ.', parse('cafe'), 100), {
    text: 'Un café, un CAFÉ.',
    marks: [
      [3, 7],
      [12, 16],
    ],
  });
  const long = `${'머리말 '.repeat(50)}여기 한국어\n검색 ${'끝말 '.repeat(50)}`;
  const { text, marks } = snippetOf(long, parse('국어 검색'), 40);
  assert.deepEqual(
    marks.map(([start, end]) => text.slice(start, end)),
    ['국어', '검색'],
  );
  assert.match(text, /^….*여기 한국어 검색 끝말.*…$/);
  assert.deepEqual(snippetOf('nothing here', parse('x'), 100), { text: 'nothing here', marks: [] });
});

test('accepts any query and any text', () => {
  fc.assert(
    fc.property(anyText, anyText, fc.integer({ min: 0, max: 50 }), (query, text, charsMax) => {
      const parsed = parseQuery(query);
      if (parsed === undefined) return;
      toTsQuery(parsed, { public: true, rooms: [text] });
      finds(query, text);
      snippetOf(text, parsed, charsMax);
    }),
  );
});
