/** Schemas of requests about messages and about a user's rooms. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from './limits.ts';
import { emoji, requestSchemas } from './schemas.ts';

const accepts = (name: keyof typeof requestSchemas, payload: object): boolean =>
  requestSchemas[name].safeParse(payload).success;
const bytes = (value: string): number => Buffer.byteLength(value);

describe('an emoji', () => {
  const family = '👩‍👩‍👧‍👦';
  const flagOfScotland = '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}';
  const accepted: Record<string, string> = {
    'a plain one': '👍',
    'one with a skin tone': '👍🏽',
    'a family of joined ones': family,
    'joined ones with skin tones': '👩🏽‍❤️‍👨🏿',
    'a flag of two letters': '🇰🇷',
    'a flag of tags': flagOfScotland,
    'a keycap': '1️⃣',
    'a heart with a variation selector': '❤️',
    'a letter': 'ㅋ',
    'a letter with a combining mark': 'e\u0301',
  };
  for (const [what, value] of Object.entries(accepted))
    test(`may be ${what}`, () => assert.equal(emoji.parse(value), value));

  const refused: Record<string, string> = {
    'two emoji': '👍👍',
    'an emoji and a letter': '👍a',
    'an emoji and white space': '👍 ',
    'two flags': '🇰🇷🇰🇷',
    nothing: '',
    'white space': ' ',
    'a zero-width space': '\u200b',
    'a joiner alone': '\u200d',
    'a variation selector alone': '\ufe0f',
    'a combining mark alone': '\u0301',
    'a tag alone': '\u{e0067}',
    'a filler': '\u3164',
    'a control character': '\u0007',
    'a line feed': '\n',
    'both characters of a line break': '\r\n',
    'a bidirectional control': '\u202e',
    'a high surrogate alone': '\ud83d',
    'a low surrogate alone': '\udc4d',
    'an emoji and a lone surrogate': '👍\ud83d',
    'more bytes than the limit': `e${'\u0301'.repeat(16)}`,
  };
  for (const [what, value] of Object.entries(refused))
    test(`is not ${what}`, () => assert.equal(emoji.safeParse(value).success, false));

  test('has its limit in bytes of UTF-8', () => {
    const longest = `é${'\u0301'.repeat(15)}`;
    assert.equal(bytes(longest), LIMITS.emojiBytesMax);
    assert.equal(emoji.parse(longest), longest);
    const longer = `e${'\u0301'.repeat(16)}`;
    assert.equal(bytes(longer), LIMITS.emojiBytesMax + 1);
    assert.equal(emoji.safeParse(longer).success, false);
  });
});

describe('mentions', () => {
  const send = (mentions: unknown) => ({ room: 'tea', clientMsgId: 'm', text: 'hi', mentions });
  const parsed = (mentions: unknown) => requestSchemas['message:send'].parse(send(mentions)).mentions;
  const users = (n: number) => Array.from({ length: n }, (_, index) => `user-${index}`);

  test('name each user once, in order', () => assert.deepEqual(parsed(['b', 'a', 'b']), ['b', 'a']));
  test('that name no user are the same as none', () => assert.equal(parsed([]), undefined));
  test('may be @room alone', () => assert.deepEqual(parsed(['@room']), ['@room']));
  test('have a limit, which counts duplicates', () => {
    assert.equal(parsed(users(LIMITS.mentionsMax))?.length, LIMITS.mentionsMax);
    assert.equal(accepts('message:send', send(users(LIMITS.mentionsMax + 1))), false);
    assert.equal(accepts('message:send', send(Array(LIMITS.mentionsMax + 1).fill('a'))), false);
  });

  const refused: Array<[string, unknown]> = [
    ['@room with a user', ['@room', 'a']],
    ['a user with @room', ['a', '@room']],
    ['@room twice', ['@room', '@room']],
    ['an empty id', ['']],
    ['an id with a control character', ['a\nb']],
    ['an id that is too long', ['x'.repeat(LIMITS.userIdCharsMax + 1)]],
    ['a number', [7]],
    ['a text', 'a'],
    ['nested lists', [['a']]],
    ['an object', { 0: 'a', length: 1 }],
  ];
  for (const [what, value] of refused) {
    test(`are not ${what}`, () => {
      assert.equal(accepts('message:send', send(value)), false);
      assert.equal(accepts('message:edit', { ...send(value), seq: 1 }), false);
    });
  }
});

describe('a request about one message', () => {
  const events = {
    'message:edit': { text: 'hi' },
    'message:delete': {},
    'message:react': { emoji: '👍', active: true },
    'message:pin': { active: true },
  };
  for (const [event, own] of Object.entries(events)) {
    const name = event as keyof typeof events;
    const request = { room: 'tea', seq: 1, clientMsgId: 'm', ...own };
    test(`${name} names the seq of an entry and a clientMsgId`, () => {
      assert(accepts(name, request));
      for (const seq of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', null, undefined, [1]])
        assert.equal(accepts(name, { ...request, seq }), false, `seq ${seq}`);
      for (const clientMsgId of [undefined, '', 'x'.repeat(65), 'é', 7])
        assert.equal(accepts(name, { ...request, clientMsgId }), false, `clientMsgId ${clientMsgId}`);
    });
    test(`${name} needs each of its fields`, () => {
      for (const field of Object.keys(own)) assert.equal(accepts(name, { ...request, [field]: undefined }), false);
    });
    test(`${name} drops forged fields`, () => {
      const forged = { from: { id: 'x', name: 'X' }, ts: 1, n: 9, type: 'room.ban', erased: true, data: { seq: 2 } };
      assert.deepEqual(requestSchemas[name].parse({ ...request, ...forged }), request);
    });
  }

  test('pins and reactions are on or off', () => {
    for (const active of [0, 1, 'true', null]) {
      assert.equal(accepts('message:pin', { room: 'tea', seq: 1, clientMsgId: 'm', active }), false);
      assert.equal(accepts('message:react', { room: 'tea', seq: 1, clientMsgId: 'm', emoji: '👍', active }), false);
    }
  });
});

describe('messages:read', () => {
  const read = (request: object) => accepts('messages:read', { room: 'tea', ...request });

  test('reads the newest without a position', () => assert(read({})));
  test('takes one position', () => {
    for (const one of [{ before: 0 }, { after: 0 }, { around: 1 }, { at: 0 }]) assert(read(one), JSON.stringify(one));
    for (const two of [
      { before: 9, after: 1 },
      { before: 9, around: 1 },
      { after: 1, around: 1 },
      { before: 9, after: 1, around: 1 },
      { around: 1, at: 1 },
      { before: 9, at: 1 },
    ])
      assert.equal(read(two), false, JSON.stringify(two));
  });
  test('takes thread or pinned, each with any position', () => {
    for (const choice of [{ thread: 1 }, { pinned: true }])
      for (const position of [{}, { before: 9 }, { after: 0 }, { around: 1 }, { at: 5 }])
        assert(read({ ...choice, ...position }), JSON.stringify({ ...choice, ...position }));
    assert.equal(read({ thread: 1, pinned: true }), false);
  });
  test('refuses other values', () => {
    for (const wrong of [
      { around: 0 },
      { thread: 0 },
      { pinned: false },
      { before: -1 },
      { after: 0.5 },
      { at: -1 },
      { thread: '1' },
      { limit: 0 },
      { limit: LIMITS.pageEntriesMax + 1 },
    ])
      assert.equal(read(wrong), false, JSON.stringify(wrong));
  });
});

describe('room:create of a direct room', () => {
  const create = (request: object) => accepts('room:create', request);

  test('names the other user, and nothing else', () => {
    assert(create({ visibility: 'direct', user: 'b' }));
    assert.equal(create({ visibility: 'direct' }), false);
    assert.equal(create({ visibility: 'direct', user: '' }), false);
    assert.equal(create({ visibility: 'direct', user: 'b', room: 'tea' }), false);
    assert.equal(create({ visibility: 'direct', user: 'b', title: 'Us' }), false);
  });
  test('is the only one that names a user', () => {
    assert.equal(create({ room: 'tea', user: 'b' }), false);
    assert.equal(create({ visibility: 'private', user: 'b' }), false);
  });
  test('leaves its id to the server', () => {
    for (const room of ['d-1', 'p-1', 'd-']) assert.equal(create({ room }), false, room);
    assert(create({ room: 'd' }));
    assert(create({ room: 'dd-1' }));
  });
});

describe('requests about read state', () => {
  test('room:read takes any seq, also 0', () => {
    assert(accepts('room:read', { room: 'tea', seq: 0 }));
    for (const seq of [-1, 0.5, '1', undefined]) assert.equal(accepts('room:read', { room: 'tea', seq }), false);
  });
  test('room:follow chooses notifications from a list', () => {
    for (const notify of ['all', 'mentions', 'none', undefined])
      assert(accepts('room:follow', { room: 'tea', active: true, notify }));
    for (const notify of ['', 'ALL', true, null])
      assert.equal(accepts('room:follow', { room: 'tea', active: true, notify }), false);
    assert.equal(accepts('room:follow', { room: 'tea' }), false);
  });
  test('rooms:mine limits its page and its cursor', () => {
    assert(accepts('rooms:mine', {}));
    for (const wrong of [{ limit: 0 }, { limit: 201 }, { cursor: '' }, { cursor: 'No room' }, { cursor: 1 }])
      assert.equal(accepts('rooms:mine', wrong), false, JSON.stringify(wrong));
  });
});

test('a message with files is refused, because no release stores them yet', () => {
  const message = { room: 'tea', clientMsgId: 'm-1', text: 'see the file' };
  assert.equal(accepts('message:send', { ...message, files: [] }), true);
  for (const files of [['f-1'], [{}], 'f-1', null]) assert.equal(accepts('message:send', { ...message, files }), false);
});
