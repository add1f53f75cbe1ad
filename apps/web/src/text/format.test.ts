import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { format } from './format.ts';
import { type Block, type Inline, shownText } from './model.ts';

/** A short notation for parts: `<strong>강조</strong>는`. */
function inlineForm(part: Inline): string {
  if (typeof part === 'string') return part;
  if (part.kind === 'code') return `<code>${part.text}</code>`;
  const children = part.children.map(inlineForm).join('');
  if (part.kind !== 'link') return `<${part.kind}>${children}</${part.kind}>`;
  return `<a ${part.target.href}>${children}</a>${part.target.host === null ? '' : `(${part.target.host})`}`;
}

function blockForm(block: Block): string {
  if (block.kind === 'lines') return block.children.map(inlineForm).join('');
  if (block.kind === 'code') return `<pre ${block.language ?? ''}>${block.text}</pre>`;
  if (block.kind === 'quote') return `<quote>${formOf(block.children)}</quote>`;
  return block.items.map(({ number, children }) => `<li ${number ?? '-'}>${formOf(children)}</li>`).join('');
}

const formOf = (blocks: Block[]): string => blocks.map(blockForm).join('');

function shows(cases: Record<string, string>): void {
  for (const [text, expected] of Object.entries(cases)) assert.equal(formOf(format(text)), expected, text);
}

const staysAsTyped = (...texts: string[]): void => shows(Object.fromEntries(texts.map((text) => [text, text])));

describe('emphasis', () => {
  it('formats words', () => {
    shows({
      'a **b c** d': 'a <strong>b c</strong> d',
      '*a* _b_ __c__ ~~d~~': '<em>a</em> <em>b</em> <strong>c</strong> <del>d</del>',
      '***both***': '<em><strong>both</strong></em>',
      '**a *b* c**': '<strong>a <em>b</em> c</strong>',
      '(**a**), "*b*"': '(<strong>a</strong>), "<em>b</em>"',
      '**.env**': '<strong>.env</strong>',
      '👍 **좋아요** *👍*': '👍 <strong>좋아요</strong> <em>👍</em>',
    });
  });

  it('formats Korean words that have particles', () => {
    shows({
      '**강조**는': '<strong>강조</strong>는',
      '**"강조"**는': '<strong>"강조"</strong>는',
      '**강조(강조)**는 좋다': '<strong>강조(강조)</strong>는 좋다',
      '**‘서울’**에서 **『책』**을': '<strong>‘서울’</strong>에서 <strong>『책』</strong>을',
      '이것은**강조**입니다': '이것은<strong>강조</strong>입니다',
      '*기울임*은 _밑줄_은 ~~취소~~는': '<em>기울임</em>은 <em>밑줄</em>은 <del>취소</del>는',
      '**10%**를 **A.B.**와': '<strong>10%</strong>를 <strong>A.B.</strong>와',
      'これは**「強調」**です': 'これは<strong>「強調」</strong>です',
    });
  });

  it('ignores other stars, underscores and tildes', () => {
    staysAsTyped('2*3*4', '2 * 3 * 4', 'snake_case_name', '변수_이름_은', '*^^*', '**', '****', '** a **', '-_-');
    staysAsTyped('네~~ 알겠어요~~', '네~~알겠어요~~', '~~~', '~물결~', '¯\\_(ツ)_/¯', 'a ** b', '**a', 'C:\\*.txt');
  });
});

describe('what is shown as typed', () => {
  it('HTML, entities, headings, tables, images, rules and backslashes', () => {
    staysAsTyped('<b>x</b>', '<script>alert(1)</script>', '<!-- a -->', '&lt;b&gt; &#42;', '\\n \\[a\\]');
    staysAsTyped('# title', 'title\n===\nand\n---', '---', '***', '| a | b |\n|---|---|', '[a]: https', '    indented');
    shows({ '![a](https://b.example)': '![a](<a https://b.example/>https://b.example</a>)' });
  });

  it('keeps line breaks, blank lines and spaces', () => {
    staysAsTyped('a\nb', 'a\n\n\nb', '  a\n    b', 'a  b', '\ta');
  });
});

describe('code', () => {
  it('is shown as typed', () => {
    shows({
      '`a *b* <i>`': '<code>a *b* <i></code>',
      '`` a`b `` and `': '<code>a`b</code> and `',
      '```js\nlet a;\n\n  b\n```\nafter': '<pre js>let a;\n\n  b</pre>after',
      'before\n```\n**a**': 'before\n<pre >**a**</pre>',
      '```\na```\nb': '<pre >a</pre>b',
      '```한 줄\n둘```': '<pre >한 줄\n둘</pre>',
      '> ```\n> a\n> ```\nb': '<quote><pre >a</pre></quote>b',
    });
  });
});

describe('quotes', () => {
  it('contain the lines that begin with >, and no others', () => {
    shows({
      '> a\n> b\nc': '<quote>a\nb</quote>c',
      '> a\n\nb': '<quote>a</quote>\nb',
      'a\n> b': 'a\n<quote>b</quote>',
      '> a\n> > b\n> c': '<quote>a\n<quote>b</quote>c</quote>',
      '> **a**': '<quote><strong>a</strong></quote>',
    });
    staysAsTyped('>_<', '>ㅅ<', '>.<', '-> a', '>a');
  });
});

describe('lists', () => {
  it('have bullets, or the typed numbers', () => {
    shows({
      '- a\n- b': '<li ->a</li><li ->b</li>',
      '* a\n\n* b': '<li ->a</li><li ->b</li>',
      'a\n- b\nc': 'a\n<li ->b</li>c',
      '3. a\n4. b\n9) c': '<li 3>a</li><li 4>b</li><li 9>c</li>',
      '- a\n  - b\n  c\n- d': '<li ->a\n<li ->b</li>c</li><li ->d</li>',
      '1. a\n  - b': '<li 1>a\n<li ->b</li></li>',
      '- a\n\n\nb': '<li ->a</li>\n\nb',
    });
  });

  it('are not dates, negative numbers or single marks', () => {
    staysAsTyped('2026. 11. 29. 회의', '11. 29. 회의', '-1', '-', '1.', '1.5', '+ 추가로', '01. a', '1234. a', '*a');
  });
});

describe('links', () => {
  it('finds addresses', () => {
    shows({
      'see https://a.example/b?c=d#e.': 'see <a https://a.example/b?c=d#e>https://a.example/b?c=d#e</a>.',
      '(http://a.example/x_(y))': '(<a http://a.example/x_(y)>http://a.example/x_(y)</a>)',
      'www.a.example': '<a https://www.a.example/>www.a.example</a>',
      'a.b@c.example!': '<a mailto:a.b@c.example>a.b@c.example</a>!',
      'mailto:a@b.example': '<a mailto:a@b.example>mailto:a@b.example</a>',
      '**https://a.example/b_c_d**': '<strong><a https://a.example/b_c_d>https://a.example/b_c_d</a></strong>',
    });
  });

  it('ends an address before Korean', () => {
    shows({
      'https://a.example/b를 보세요': '<a https://a.example/b>https://a.example/b</a>를 보세요',
      '주소는https://a.example입니다.': '주소는<a https://a.example/>https://a.example</a>입니다.',
      'a@b.example로 보내세요': '<a mailto:a@b.example>a@b.example</a>로 보내세요',
      'https://a.example/b、次': '<a https://a.example/b>https://a.example/b</a>、次',
    });
  });

  it('refuses other protocols and addresses that hide their host', () => {
    staysAsTyped('javascript:alert(1)', 'data:text/html,a', 'ftp://a.example', '[a](javascript:alert(1))');
    staysAsTyped('[a](data:text/html,b)', '[a](/path)', '[a](//b.example)', '[a]', '[a][b]', '[](https:x)');
    staysAsTyped('https://bank.example@evil.example', 'https://', 'xhttps://a.example', 'file:///etc/passwd');
    shows({
      'https://аpple.example': '<a https://xn--pple-43d.example/>https://аpple.example</a>(xn--pple-43d.example)',
      'https://a\u202eb.example': '<a https://a/>https://a</a>\u202eb.example',
    });
  });

  it('shows the host beside a label, and rejects a label that pretends to be another address', () => {
    const bank = '<a https://bank.example/>https://bank.example</a>';
    const evil = '<a https://evil.example/>https://evil.example</a>';
    shows({
      '[a *b*](https://c.example/d)': '<a https://c.example/d>a *b*</a>(c.example)',
      '[README.md](https://a.example/README.md)': '<a https://a.example/README.md>README.md</a>(a.example)',
      '[https://bank.example](https://evil.example)': `[${bank}](${evil})`,
      '[bank.example](https://evil.example)': `[bank.example](${evil})`,
      '[ask us](mailto:a@b.example)': '<a mailto:a@b.example>ask us</a>(a@b.example)',
    });
  });
});

it('shows a text with too many parts as typed', () => {
  const text = '*a* '.repeat(2_000);
  assert.deepEqual(format(text), [{ kind: 'lines', children: [text] }]);
});

it('returns the visible text of a part', () => {
  const [lines] = format('**a `b`** c');
  assert.ok(lines?.kind === 'lines');
  assert.equal(lines.children.map(shownText).join(''), 'a b c');
});
