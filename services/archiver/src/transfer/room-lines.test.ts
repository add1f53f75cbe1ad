import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMAT } from './line-schemas.ts';
import { LineError, RoomLines } from './room-lines.ts';

const lines = () => new RoomLines({ nowMs: 10_000 });
const add = (to: RoomLines, line: unknown) => to.add(typeof line === 'string' ? line : JSON.stringify(line));
const refuses = (given: unknown[], message: RegExp) => {
  const to = lines();
  assert.throws(
    () => {
      for (const line of given) add(to, line);
      to.end();
    },
    (error: Error) => error instanceof LineError && message.test(error.message),
    String(message),
  );
};
const hello = { ts: 5, from: 'mina', text: 'hello' };

test('a line needs a time, an author and a text', () => {
  const to = lines();
  assert.deepEqual(add(to, hello), {
    ...{ seq: 1, ts: 5, n: 1, author: 'mina', isMessage: true },
    head: '"n":1,"type":"text","from":{"id":"mina","name":"mina"},"clientMsgId":"import-1"',
    tail: '"text":"hello"',
  });
  const react = {
    ts: 5,
    type: 'message.react',
    from: { id: 'jun', name: 'Jun' },
    data: { seq: 1, emoji: '☕', active: true },
  };
  assert.deepEqual(add(to, react), {
    ...{ seq: 2, ts: 5, n: 1, author: 'jun', isMessage: false },
    head: '"n":1,"type":"message.react","from":{"id":"jun","name":"Jun"},"clientMsgId":"import-2"',
    tail: '"data":{"seq":1,"emoji":"☕","active":true}',
  });
  to.end();
  assert.deepEqual([to.first, to.entries], [1, 2]);
});

test('a header, numbers from the file, and erased entries are kept', () => {
  const to = lines();
  assert.equal(add(to, { format: FORMAT, title: 'Tea', roles: { mina: 'owner' } }), undefined);
  assert.equal(add(to, ''), undefined);
  assert.equal(
    add(to, { ...hello, text: undefined, thread: 3, seq: 7, erased: true })?.tail,
    '"thread":3,"erased":true',
  );
  const edit = { ts: 6, type: 'message.edit', seq: 8, from: 'mina', data: { seq: 7 }, erased: true };
  assert.equal(add(to, edit)?.tail, '"data":{"seq":7},"erased":true');
  assert.equal(
    add(to, { ...hello, ts: 6, seq: 9, mentions: ['jun'], thread: 2 })?.tail,
    '"text":"hello","thread":2,"mentions":["jun"]',
  );
  assert.deepEqual(to.header, { format: FORMAT, title: 'Tea', roles: { mina: 'owner' } });
  assert.deepEqual([to.first, to.entries], [7, 3]);
});

test('an error names the line and the problem, but no value', () => {
  refuses([hello, '', 'secret {'], /^line 3: is not JSON$/);
  refuses([hello, [1]], /^line 2: is not a JSON object/);
  refuses([], /^line 0: there is no entry/);
  refuses([{ ...hello, from: undefined }], /^line 1: from: /);
  refuses([{ ...hello, text: ' ' }], /^line 1: text: must not be blank/);
  refuses([{ ...hello, text: undefined }], /^line 1: text: is required/);
  refuses([{ ...hello, text: 'x'.repeat(20_000) }], /^line 1: text: has at most/);
  refuses([hello, { ...hello, ts: 4 }], /^line 2: ts: is before/);
  refuses([{ ...hello, ts: 99_999_999 }], /^line 1: ts: is in the future/);
  refuses([{ ...hello, seq: 3 }, hello], /^line 2: seq: every line/);
  refuses(
    [
      { ...hello, seq: 3 },
      { ...hello, seq: 5 },
    ],
    /^line 2: seq: 4 was expected/,
  );
  refuses([{ ...hello, thread: 1 }], /^line 1: thread: /);
  refuses([{ ...hello, type: 'poll' }], /^line 1: type: is text, /);
  refuses([{ ts: 1, type: 'message.edit', from: 'a', data: { seq: 1, text: 'x' } }], /^line 1: data.seq: /);
  refuses([hello, { format: FORMAT }], /^line 2: format: the header/);
  refuses([{ ...hello, erased: true, text: undefined }], /^line 1: erased: the newest/);
});

test('times of an export that go back, or are in the future, become those of the line before and of now', () => {
  const to = lines();
  add(to, { format: FORMAT });
  const times = [5, 9_000, 8_000, 9_001, 99_999_999, 9_500].map((ts) => add(to, { ...hello, ts })?.ts);
  assert.deepEqual(times, [5, 9_000, 9_000, 9_001, 10_000, 10_000]);
});
