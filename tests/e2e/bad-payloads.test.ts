import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { readHistory } from '../support/sender.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const room = newRoom('target');
let witness: TestClient;
let pids: string;
const open: TestClient[] = [];

const pidsNow = async () =>
  JSON.stringify((await cluster.status()).processes.map(({ name, pid }) => `${name} ${pid}`).sort());

async function fresh(): Promise<TestClient> {
  const { endpoint } = cluster;
  const client = await connect(endpoint, { token: (await createGuest(endpoint)).token });
  open.push(client);
  return client;
}

before(async () => {
  pids = await pidsNow();
  witness = await fresh();
  await witness.ok('room:join', { room });
  await witness.ok('message:send', { room, clientMsgId: newId(), text: 'the only one' });
});
after(async () => {
  for (const client of open) client.close();
});

/** Invalid room ids. Each breaks a different rule. */
const BAD_ROOMS: unknown[] = [
  undefined,
  null,
  '',
  5,
  true,
  [],
  ['room'],
  {},
  'Room',
  '-room',
  '.room',
  '_room',
  'a b',
  'a/b',
  '*',
  'room?',
  'room[a]',
  'a#b',
  'a{b}',
  'a\r\nb',
  'a\u0000b',
  'ａｂｃ',
  'réunion',
  '방',
  'r'.repeat(65),
  'r'.repeat(10_000),
];
const NOT_OBJECTS: unknown[] = [
  null,
  0,
  7,
  -1,
  1e308,
  '',
  'text',
  true,
  false,
  [],
  [1, 2],
  ['room'],
  [{ room }],
  'x'.repeat(50_000),
];
const BAD_IDS: unknown[] = [undefined, null, '', 5, [], {}, 'i'.repeat(65), 'a\nb', 'a\u007f', 'é', '한'];
const BAD_TEXTS: unknown[] = [undefined, null, 5, [], {}, true, '', ' ', ' \n\t '];
const BAD_NUMBERS: unknown[] = [null, '5', -1, 1.5, [], {}, true, 1e308];
const LARGE_TEXTS: string[] = [
  'a'.repeat(4_001),
  '한'.repeat(4_001),
  '👋'.repeat(4_001),
  `${' '.repeat(13_000)}${'한'.repeat(4_000)}`,
];
const BAD_TITLES: unknown[] = [null, 5, [], {}, 'ti\u0000tle', 't'.repeat(5_000)];
const BAD_STATUS: unknown[] = [undefined, null, '', 'offline', 'ONLINE', 5, [], {}];

const ROOM_EVENTS: Record<string, Record<string, unknown>> = {
  'room:join': {},
  'room:leave': {},
  'room:members': {},
  'room:invite': { user: 'someone' },
  'message:send': { clientMsgId: 'id', text: 'text' },
  'history:read': {},
  typing: { active: true },
  'presence:watch': {},
  'presence:unwatch': {},
};
const EVENTS = [...Object.keys(ROOM_EVENTS), 'room:create', 'presence:set', 'auth:renew'];

type Case = [event: string, payload: unknown];
const invalid: Record<string, Case[]> = {
  'a payload that is not an object': EVENTS.flatMap((event) => NOT_OBJECTS.map((payload): Case => [event, payload])),
  'an empty object': EVENTS.map((event): Case => [event, {}]),
  'a bad room': Object.entries(ROOM_EVENTS).flatMap(([event, rest]) =>
    BAD_ROOMS.map((bad): Case => [event, { ...rest, room: bad }]),
  ),
  'a bad room to create': BAD_ROOMS.map((bad): Case => ['room:create', { room: bad }]),
  'a bad message': [
    ...BAD_IDS.map((clientMsgId): Case => ['message:send', { room, clientMsgId, text: 'text' }]),
    ...BAD_TEXTS.map((text): Case => ['message:send', { room, clientMsgId: newId(), text }]),
  ],
  'a bad number': BAD_NUMBERS.flatMap((bad): Case[] => [
    ['room:join', { room, limit: bad }],
    ['room:members', { room, limit: bad }],
    ['history:read', { room, limit: bad }],
    ['history:read', { room, before: bad }],
    ['history:read', { room, after: bad }],
    ['room:join', { room, since: { epoch: 'e', seq: bad } }],
  ]),
  'any other bad field': [
    ...BAD_TITLES.map((title): Case => ['room:create', { room: newRoom(), title }]),
    ...[null, 5, '', 'secret', [], {}].map((visibility): Case => ['room:create', { room: newRoom(), visibility }]),
    ...[undefined, null, 0, 'yes', [], {}].map((active): Case => ['typing', { room, active }]),
    ...BAD_STATUS.map((status): Case => ['presence:set', { status }]),
    ...[null, 5, [], {}, 'x'.repeat(5_000)].map((text): Case => ['presence:set', { status: 'away', text }]),
    ...[undefined, null, '', 5, [], {}, 'u'.repeat(1_000)].map((user): Case => ['room:invite', { room, user }]),
    ...[null, 5, '', [], {}, 'c'.repeat(5_000)].map((cursor): Case => ['room:members', { room, cursor }]),
  ],
};

/**
 * Sends each case and asserts its error code. Opens a new connection every 150 requests, because
 * the burst of one connection is 200 events.
 */
async function assertAll(cases: Case[], code: string): Promise<void> {
  for (let start = 0; start < cases.length; start += 150) {
    const client = await fresh();
    const batch = cases.slice(start, start + 150);
    const acks = await Promise.all(batch.map(([event, payload]) => client.raw(event, payload)));
    acks.forEach((ack, index) => {
      const what = JSON.stringify(batch[index])?.slice(0, 200);
      assert(ack?.ok === false, `${what} was answered ${JSON.stringify(ack)}`);
      assert.equal(ack.error.code, code, what);
      assert.equal(ack.error.retryable, false, what);
      assert.equal(typeof ack.error.message, 'string', what);
      assert(ack.error.message.length < 500, `${what}: the answer repeats the value`);
    });
    assert(client.connected, 'bad payloads must not end the connection');
    client.close();
  }
}

describe('a bad payload', () => {
  for (const [what, cases] of Object.entries(invalid))
    test(`is invalid: ${what} (${cases.length} cases)`, () => assertAll(cases, 'invalid'));

  test('is too_large when the text exceeds 4,000 code points or 16 KiB', () =>
    assertAll(
      LARGE_TEXTS.map((text): Case => ['message:send', { room, clientMsgId: newId(), text }]),
      'too_large',
    ));

  test('does not include values exactly at the limits', async () => {
    const client = await fresh();
    const id = `0${'z'.repeat(63)}`;
    await client.ok('room:join', { room: id });
    const texts = ['a'.repeat(4_000), '👋'.repeat(4_000), `  ${'한'.repeat(4_000)}  `, '\u0000', '</script>\u202e'];
    for (const text of texts) await client.ok('message:send', { room: id, clientMsgId: newId(), text });
    const history = await client.ok('history:read', { room: id });
    assert.deepEqual(
      history.messages.map(({ text }) => text),
      texts,
      'texts are stored unchanged',
    );
    // A lone surrogate has no UTF-8 form. The server may refuse it, but must not fail.
    const lone = await client.request('message:send', { room: id, clientMsgId: newId(), text: '\ud800 alone' });
    if (!lone.ok) assert.equal(lone.error.code, 'invalid');
    await client.ok('message:send', { room: id, clientMsgId: ` ${'~'.repeat(63)}`, text: 'longest id' });
  });
});

describe('a malformed request', () => {
  test('is invalid when the event is unknown', async () => {
    const client = await fresh();
    const names = [
      'unknown',
      'room:explode',
      '',
      ' ',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'session',
      'message',
      '0',
      'x'.repeat(10_000),
    ];
    for (const name of names) await client.refused('invalid', name, { room, user: 'someone' });
    await client.refused('invalid', 'unknown');
    assert(client.connected);
  });

  test('is invalid when the payload is absent or is not the only argument', async () => {
    const client = await fresh();
    for (const event of EVENTS) {
      await client.refused('invalid', event);
      await client.refused('invalid', event, { room, ...ROOM_EVENTS[event] }, { extra: true });
    }
  });

  test('without an acknowledgement callback is ignored', async () => {
    const client = await fresh();
    for (const event of EVENTS) {
      client.socket.emit(event);
      client.socket.emit(event, null);
      client.socket.emit(event, { room: '*' });
    }
    await client.ok('history:read', { room });
    assert(client.connected);
  });

  test('cannot change a prototype', async () => {
    const client = await fresh();
    const polluting = JSON.parse(
      `{"__proto__":{"polluted":true,"room":"${room}"},"constructor":{"prototype":{"polluted":true}}}`,
    );
    for (const event of EVENTS) await client.refused('invalid', event, polluting);
    const id = newRoom();
    const joined = await client.raw('room:join', JSON.parse(`{"room":"${id}","__proto__":{"limit":0}}`));
    assert.equal(joined.ok, true);
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const ack = await client.raw('room:join', { room: name });
      if (ack.ok) assert.equal(ack.data.head, 0);
      else assert.equal(ack.error.code, 'invalid');
    }
  });

  test('with binary attachments is invalid or closes the transport', async () => {
    for (const payload of [
      Buffer.from('x'),
      { room, clientMsgId: 'b', text: Buffer.from('text') },
      [new Uint8Array(3)],
    ]) {
      const client = await fresh();
      const answer = client.raw('message:send', payload).catch(() => undefined);
      await poll(
        'an answer or the disconnect',
        async () => !client.connected || (await Promise.race([answer, undefined])) !== undefined,
      );
      if (client.connected) {
        const ack = await answer;
        assert(ack?.ok === false && ack.error.code === 'invalid', JSON.stringify(ack));
      }
      client.close();
    }
  });
});

describe('after all bad payloads', () => {
  test('history is unchanged, no process restarted, and chat works', async () => {
    const history = await readHistory(witness, room);
    assert.deepEqual(
      history.map(({ seq, text }) => ({ seq, text })),
      [{ seq: 1, text: 'the only one' }],
    );
    assert.deepEqual(witness.seqs(room), [1]);
    assert.equal(await pidsNow(), pids);
    assert.deepEqual(witness.disconnects, []);
    await witness.ok('message:send', { room, clientMsgId: newId(), text: 'and on' });
    await witness.until(room, 2);
  });
});
