import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Archive, openArchive } from './archive.ts';
import type { LogEntry } from './entries.ts';
import { migrateArchive } from './migrate.ts';
import { applyLate, type PageQuery, readPage, seqAtTime, tailOf } from './pages.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';
import { archiveBatch } from './writer.ts';

let server: TestPostgres;
let archive: Archive;
before(async () => {
  server = await startTestPostgres();
  await migrateArchive({ url: server.url, log: () => undefined });
  archive = openArchive({ url: server.url, poolMax: 2, deadlineMs: 20_000, onError: () => undefined });
});
after(async () => {
  await archive?.close();
  await server.stop();
});

let rooms = 0;

const entry = (seq: number, type: string, tail: string, author = 'mina'): LogEntry => ({
  seq,
  ts: 1_000 + 10 * seq,
  n: seq,
  author,
  isMessage: type === 'text',
  head: `"n":${seq},"type":"${type}","from":{"id":"${author}","name":"M"}`,
  tail,
});
const text = (seq: number, value: string) => entry(seq, 'text', `"text":"${value}"`);
const reply = (seq: number, root: number) => entry(seq, 'text', `"text":"reply ${seq}","thread":${root}`);
const change = (seq: number, type: string, data: object, author?: string) =>
  entry(seq, `message.${type}`, `"data":${JSON.stringify(data)}`, author);
const react = (seq: number, target: number, active: boolean, author: string) =>
  change(seq, 'react', { seq: target, emoji: '👍', active }, author);

/**
 * Returns a room with these entries in the archive. The seq of the first entry is the hot log's
 * first.
 */
async function roomWith(entries: LogEntry[]): Promise<string> {
  const room = `room-${++rooms}`;
  const hotFirst = entries[0]?.seq ?? 1;
  const batch = { room, seen: undefined, epoch: '1.a', base: 0, hotFirst, private: false, cleared: 0, entries };
  await archive.write((tx) => archiveBatch(tx, batch));
  return room;
}

type Some = Partial<PageQuery> & { room: string };
const read = (query: Some) =>
  archive.read((tx) =>
    readPage(tx, {
      reader: 'mina',
      of: { kind: 'entries' },
      from: { after: 0 },
      limit: 100,
      bytesMax: 1_000_000,
      ...query,
    }),
  );
async function seqs(query: Some): Promise<[number[], boolean]> {
  const { entries, hasMore } = await read(query);
  return [entries.map(({ seq }) => seq), hasMore];
}

const MIXED = [
  text(1, 'one'),
  change(2, 'edit', { seq: 1, text: 'two' }),
  reply(3, 1),
  text(4, 'four'),
  reply(5, 1),
  change(6, 'pin', { seq: 4, active: true }),
  text(7, 'seven'),
];

test('a page has the nearest entries on each side, ascending, and says whether there are more', async () => {
  const room = await roomWith(MIXED);
  assert.deepEqual(await seqs({ room, from: { before: 6 }, limit: 3 }), [[3, 4, 5], true]);
  assert.deepEqual(await seqs({ room, from: { before: 4 }, limit: 3 }), [[1, 2, 3], false]);
  assert.deepEqual(await seqs({ room, from: { after: 2 }, limit: 3 }), [[3, 4, 5], true]);
  assert.deepEqual(await seqs({ room, from: { after: 4 }, limit: 3 }), [[5, 6, 7], false]);
});

test('a page can be limited to messages, to the replies of a thread, or to given messages', async () => {
  const room = await roomWith(MIXED);
  const messages = { kind: 'messages' } as const;
  assert.deepEqual(await seqs({ room, of: messages, from: { before: 7 }, limit: 3 }), [[3, 4, 5], true]);
  assert.deepEqual(await seqs({ room, of: { kind: 'thread', root: 1 } }), [[3, 5], false]);
  assert.deepEqual(await seqs({ room, of: { kind: 'seqs', seqs: [7, 2, 4, 99] } }), [[4, 7], false]);
});

test('a page ends at its limit of bytes, but has at least one entry', async () => {
  const room = await roomWith([text(1, 'x'.repeat(400)), text(2, 'y'.repeat(400)), text(3, 'z'.repeat(400))]);
  assert.deepEqual(await seqs({ room, from: { before: 4 }, bytesMax: 1_000 }), [[2, 3], true]);
  assert.deepEqual(await seqs({ room, from: { before: 4 }, bytesMax: 10 }), [[3], true]);
});

test('a page begins at the first entry of the room', async () => {
  const room = await roomWith([text(5, 'five'), text(6, 'six')]);
  await archive.write((tx) => tx.query('UPDATE rooms SET first = 6 WHERE room = $1', [room]));
  assert.deepEqual(await seqs({ room, from: { before: 9 } }), [[6], false]);
});

test('a page of an unknown room is empty', async () => {
  assert.deepEqual(await seqs({ room: 'nowhere' }), [[], false]);
});

test('messages have the state that later entries gave them, and the reactions of the reader', async () => {
  const room = await roomWith([...MIXED, react(8, 1, true, 'jun'), react(9, 1, true, 'mina')]);
  const tails = async (reader: string) =>
    (await read({ room, reader, of: { kind: 'seqs', seqs: [1, 4] } })).entries.map(tailOf);
  const one = (mine: boolean) =>
    `"text":"two","edited":{"ts":1020},"reactions":[{"emoji":"👍","count":2,"mine":${mine},"users":["jun","mina"]}]` +
    ',"replies":{"n":2,"seq":5,"ts":1050}';
  assert.deepEqual(await tails('mina'), [one(true), '"text":"four","pinned":true']);
  assert.deepEqual(await tails('bo'), [one(false), '"text":"four","pinned":true']);
});

test('later changes are applied to the entries of a page', async () => {
  const users = Array.from({ length: 12 }, (_, index) => `u${index}`);
  const room = await roomWith([...MIXED, ...users.map((user, index) => react(8 + index, 4, true, user))]);
  const changes = [
    react(20, 4, false, 'u0'),
    react(21, 4, true, 'mina'),
    change(22, 'edit', { seq: 7, text: 'edited' }),
    change(23, 'delete', { seq: 5 }, 'bo'),
    reply(24, 1),
    change(25, 'delete', { seq: 24 }, 'bo'),
  ];
  const late = await archive.read(async (tx) => {
    const query = { room, reader: 'mina', from: { after: 0 }, limit: 100, bytesMax: 1_000_000 };
    const { entries } = await readPage(tx, { ...query, of: { kind: 'messages' } });
    return applyLate(tx, { room, reader: 'mina', entries, changes });
  });
  const named = users.slice(1, 11).map((user) => `"${user}"`);
  assert.deepEqual(late.map(tailOf), [
    '"text":"two","edited":{"ts":1020},"replies":{"n":1,"seq":3,"ts":1030}',
    '"text":"reply 3","thread":1',
    `"text":"four","reactions":[{"emoji":"👍","count":12,"mine":true,"users":[${named}]}],"pinned":true`,
    '"text":"","thread":1,"deleted":{"ts":1230,"by":"bo"},"erased":true',
    '"text":"edited","edited":{"ts":1220}',
  ]);
});

test('the seq at a time is the oldest at or after it', async () => {
  const room = await roomWith(MIXED);
  const found = await archive.read(async (tx) => [
    await seqAtTime(tx, room, 0),
    await seqAtTime(tx, room, 1_030),
    await seqAtTime(tx, room, 1_031),
    await seqAtTime(tx, room, 9_999),
  ]);
  assert.deepEqual(found, [1, 3, 4, undefined]);
});
