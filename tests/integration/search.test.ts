/** Searches with a real archive: what they find, what they hide, and without PostgreSQL. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FoundMessage, SearchData } from '@maru/protocol';
import { assertAnswer } from '@maru/protocol/describe';
import type { TestClient } from '../support/client.ts';
import { tokenOf } from '../support/gateways.ts';
import { assertProblem, call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type PersonalRig, startPersonalRig } from './personal-setup.ts';

const DEADLINE_MS = 1_500;

let rig: PersonalRig;
let owner: TestClient;
let reader: TestClient;
const [ownerId, readerId] = [`owner-${newId()}`, `reader-${newId()}`];

before(async () => {
  rig = await startPersonalRig({
    MARU_ARCHIVE_DEADLINE_MS: String(DEADLINE_MS),
    // Small, so that messages soon are only in the archive.
    MARU_RETENTION_ENTRIES_MIN: '4',
    MARU_RETENTION_ENTRIES_MAX: '4',
  });
  owner = await rig.enter(ownerId);
  reader = await rig.enter(readerId, 1);
});
after(() => rig?.stop());

const say = (room: string, text: string) => ({ room, text, clientMsgId: newId() });

async function publicRoom(): Promise<string> {
  const room = newRoom('search');
  await owner.ok('room:create', { room });
  return room;
}

async function send(room: string, text: string): Promise<number> {
  return (await owner.ok('message:send', say(room, text))).seq;
}

async function search(client: TestClient, request: { query: string } & Record<string, unknown>): Promise<SearchData> {
  const data = await client.ok('search', request);
  assertAnswer('search', { ok: true, data });
  return data;
}

const textsOf = ({ messages }: SearchData) => messages.map(({ text }) => text);
const found = async (client: TestClient, query: string, more = {}) => textsOf(await search(client, { query, ...more }));
const marked = ({ snippet: { text, marks } }: FoundMessage) => marks.map(([start, end]) => text.slice(start, end));

test('finds words in all scripts, newest first, with marks, over sockets and HTTP', async () => {
  const [room, id] = [await publicRoom(), newId()];
  const texts = [
    `${id} Un CAFÉ à İstanbul`,
    `${id} 한국어를 배워요 👍🏽`,
    `${id} 東京タワーの写真`,
    `${id} 我在北京大学`,
    `${id} Ｓｔｒａßｅ`,
  ];
  for (const text of texts) await send(room, text);
  await rig.untilArchived();
  for (const [query, index, marks] of [
    ['cafe', 0, ['CAFÉ']],
    ['istan', 0, ['İstan']],
    ['국', 1, ['국']],
    ['"한국어를 배워"', 1, ['한국어를 배워']],
    ['👍', 1, ['👍🏽']],
    ['タワー', 2, ['タワー']],
    ['北京', 3, ['北京']],
    ['strasse', 4, ['Ｓｔｒａßｅ']],
  ] as const) {
    const { messages } = await search(reader, { query: `${query} `, room });
    const last = query === 'istan' ? (await search(reader, { query, room })).messages : messages;
    assert.deepEqual(
      last.map((message) => [message.text, marked(message)]),
      [[texts[index], marks]],
      query,
    );
  }
  assert.deepEqual(await found(reader, id), texts.toReversed());
  assert.deepEqual(await found(reader, `${id} -cafe -한국 -北京 -東京`), [texts[4]]);
  const byHttp = await call<SearchData & Record<string, unknown>>(
    rig.urlOf(1),
    `/search?${new URLSearchParams({ query: id, from: ownerId, limit: '2' })}`,
    { token: tokenOf(readerId) },
  );
  assert.equal(byHttp.status, 200);
  assert.deepEqual(textsOf(byHttp.body), texts.toReversed().slice(0, 2));
  assert.deepEqual(await found(reader, id, { from: readerId }), []);
});

test('refuses a query without words, and a cursor of other origin', async () => {
  for (const query of ['', '  ', '-no', '?!', 'a '.repeat(13), 'x'.repeat(257)])
    await reader.refused('invalid', 'search', { query });
  for (const cursor of ['x', '1-2', '1-2-A', `1-2-${'a'.repeat(65)}`, "1-1-a';", '-1-1-a'])
    await reader.refused('invalid', 'search', { query: 'hello', cursor });
  const path = `/search?${new URLSearchParams({ query: '-' })}`;
  assertProblem(await call(rig.urlOf(0), path, { token: tokenOf(readerId) }), 400, 'invalid');
  assertProblem(await call(rig.urlOf(0), '/search?query=x'), 401, 'unauthenticated');
});

describe('rights', () => {
  test('only members find private and direct rooms', async () => {
    const id = newId();
    const { room } = await owner.ok('room:create', { visibility: 'private' });
    const { room: direct } = await owner.ok('room:create', { visibility: 'direct', user: `friend-${id}` });
    await send(room, `plan ${id}`);
    await send(direct, `secret ${id}`);
    await rig.untilArchived();
    assert.deepEqual(await found(owner, id), [`secret ${id}`, `plan ${id}`]);
    assert.deepEqual(await search(reader, { query: id }), { messages: [] });
    assert.deepEqual(await search(reader, { query: id, from: ownerId }), { messages: [] });
    for (const one of [room, direct, 'p-absent']) await reader.refused('not_found', 'search', { query: id, room: one });
    await owner.ok('room:invite', { room, user: readerId });
    assert.deepEqual(await found(reader, id), [`plan ${id}`]);
    assert.deepEqual(await found(reader, id, { room }), [`plan ${id}`]);
    await owner.ok('room:kick', { room, user: readerId, clientMsgId: newId() });
    assert.deepEqual(await search(reader, { query: id }), { messages: [] });
  });

  test('an outdated list reveals nothing about a room, neither in a page nor in its cursor', async () => {
    const [id, open] = [newId(), await publicRoom()];
    const { room } = await owner.ok('room:create', { visibility: 'private' });
    await owner.ok('room:invite', { room, user: readerId });
    const texts: string[] = [];
    for (let count = 0; count < 8; count++) {
      texts.unshift(`open ${id} ${count}`);
      await send(open, texts[0] as string);
    }
    // More than a search examines for one page.
    for (let count = 0; count < 44; count++) await send(room, `hidden ${id} ${count}`);
    await rig.untilArchived();
    // A page has 50 results, also if more are asked for.
    assert.equal((await found(reader, id, { limit: 200 })).length, 50);
    await owner.ok('room:kick', { room, user: readerId, clientMsgId: newId() });
    // Like after a crash between the two writes.
    await rig.redis.hset(`maru:list:{${readerId}}`, room, `${Date.now()} member all`);
    const seen: Array<string | undefined> = [];
    let cursor: string | undefined;
    do {
      const page = await search(reader, { query: id, limit: 5, ...(cursor === undefined ? {} : { cursor }) });
      assert.doesNotMatch(JSON.stringify(page), new RegExp(`hidden|${room}`));
      seen.push(...textsOf(page));
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen, texts);
  });

  test('a banned user finds nothing in the room until the ban ends', async () => {
    const [id, banned, other] = [newId(), await publicRoom(), await publicRoom()];
    await send(banned, `one ${id}`);
    await send(other, `two ${id}`);
    await send(banned, `three ${id}`);
    await rig.untilArchived();
    await owner.ok('room:ban', { room: banned, user: readerId, clientMsgId: newId() });
    assert.deepEqual(await search(reader, { query: id, limit: 1 }).then(textsOf), [`two ${id}`]);
    await reader.refused('forbidden', 'search', { query: id, room: banned });
    await owner.ok('room:unban', { room: banned, user: readerId, clientMsgId: newId() });
    assert.equal((await found(reader, id)).length, 3);
    await owner.ok('room:delete', { room: banned });
    assert.deepEqual(await found(reader, id), [`two ${id}`]);
  });
});

async function untilTrimmed(room: string, seq: number): Promise<void> {
  const isGone = async () => Number(await rig.redis.hget(`maru:{${room}}:meta`, 'first')) > seq;
  await poll('the log to be trimmed', isGone, { timeoutMs: 20_000 });
}

for (const where of ['the log', 'the archive only'])
  test(`changes apply immediately, before the archive has them: messages in ${where}`, async () => {
    await assertChanges(where === 'the archive only');
  });

async function assertChanges(areTrimmed: boolean): Promise<void> {
  const [id, room] = [newId(), await publicRoom()];
  const seqs: number[] = [];
  for (const word of ['stays', 'goes', 'changes', 'improves']) seqs.push(await send(room, `${word} ${id}`));
  const [, goes, changes, improves] = seqs as [number, number, number, number];
  if (areTrimmed) for (let count = 0; count < 80; count++) await send(room, 'more');
  await rig.untilArchived();
  if (areTrimmed) await untilTrimmed(room, improves);
  rig.archiver.pause();
  try {
    await owner.ok('message:delete', { room, seq: goes, clientMsgId: newId() });
    await owner.ok('message:edit', { ...say(room, 'another text'), seq: changes });
    await owner.ok('message:edit', { ...say(room, `improved ${id}`), seq: improves });
    await reader.ok('message:react', { room, seq: improves, clientMsgId: newId(), emoji: '👍', active: true });
    const { messages } = await search(reader, { query: id });
    assert.deepEqual(
      messages.map(({ text }) => text),
      [`improved ${id}`, `stays ${id}`],
    );
    assert.ok(messages[0]?.edited !== undefined && messages[0].reactions?.[0]?.mine === true);
  } finally {
    rig.archiver.resume();
  }
  await rig.untilArchived();
  assert.deepEqual(await found(reader, id), [`improved ${id}`, `stays ${id}`]);
  assert.deepEqual(await found(reader, 'another text', { room }), ['another text']);
}

test('pages have no gaps or duplicates, also with deleted messages in between', async () => {
  const [id, rooms] = [newId(), [await publicRoom(), await publicRoom()]];
  const expected: string[] = [];
  const deleted: Array<[string, number]> = [];
  for (let count = 0; count < 40; count++) {
    const room = rooms[count % 2] as string;
    const seq = await send(room, `page ${id} ${count}`);
    if (count % 3 === 0) deleted.push([room, seq]);
    else expected.unshift(`page ${id} ${count}`);
  }
  await rig.untilArchived();
  rig.archiver.pause();
  try {
    for (const [room, seq] of deleted) await owner.ok('message:delete', { room, seq, clientMsgId: newId() });
    const seen: FoundMessage[] = [];
    let cursor: string | undefined;
    do {
      const page = await search(reader, { query: id, limit: 4, ...(cursor === undefined ? {} : { cursor }) });
      assert.equal(page.messages.length === 4 || page.cursor === undefined, true);
      seen.push(...page.messages);
      cursor = page.cursor;
    } while (cursor !== undefined);
    // Within one millisecond, the order of rooms is arbitrary.
    assert.deepEqual(seen.map(({ text }) => text).sort(), expected.sort());
    assert.ok(seen.every(({ ts }, index) => ts <= (seen[index - 1]?.ts ?? ts)));
  } finally {
    rig.archiver.resume();
  }
});

test('a time bounds the search on both sides', async () => {
  const [id, room] = [newId(), await publicRoom()];
  const times: number[] = [];
  for (let count = 0; count < 3; count++) {
    times.push((await owner.ok('message:send', say(room, `time ${id} ${count}`))).ts);
    await poll('the clock to go on', () => Date.now() > (times[count] as number) + 2);
  }
  await rig.untilArchived();
  const [first, , last] = times as [number, number, number];
  for (const scope of [{}, { room }]) {
    assert.deepEqual(await found(reader, id, { after: first, before: last, ...scope }), [`time ${id} 1`]);
    assert.deepEqual(await found(reader, id, { after: first, ...scope }), [`time ${id} 2`, `time ${id} 1`]);
    assert.deepEqual(await found(reader, id, { before: last, ...scope }), [`time ${id} 1`, `time ${id} 0`]);
  }
});

test('while PostgreSQL does not answer, searches fail in time, and everything else works', async () => {
  const [id, room] = [newId(), await publicRoom()];
  await send(room, `silent ${id}`);
  await rig.untilArchived();
  rig.postgres.pause();
  try {
    const { retryAfterMs } = await reader.refused('unavailable', 'search', { query: id });
    assert.ok(retryAfterMs !== undefined);
    await send(room, 'still here');
    assert.equal((await reader.ok('history:read', { room })).messages.at(-1)?.text, 'still here');
  } finally {
    rig.postgres.resume();
  }
  await poll('the search works again', async () => {
    const answer = await reader.request('search', { query: id });
    return answer.ok && answer.data.messages.length === 1;
  });
});
