/** After a deletion no row of any table has the text, whatever the archive had of the message. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Archive, openArchive } from './archive.ts';
import type { LogEntry } from './entries.ts';
import { migrateArchive } from './migrate.ts';
import { applyLate, readPage } from './pages.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';
import { type Act, RoomModel } from './testing/room-model.ts';
import { placesOf } from './testing/texts.ts';
import { archiveBatch, type Batch } from './writer.ts';

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
const newRoom = () => `room-${++rooms}`;
const entry = (seq: number, type: string, tail: string): LogEntry => ({
  ...{ seq, ts: seq, n: 1, author: 'mina', isMessage: type === 'text', tail },
  head: `"n":1,"type":"${type}","from":{"id":"mina","name":"mina"}`,
});
const send = (seq: number, text = 'hello') => entry(seq, 'text', `"text":"${text}"`);
const edit = (seq: number, of: number, text: string) =>
  entry(seq, 'message.edit', `"data":{"seq":${of},"text":"${text}"}`);
const remove = (seq: number, of: number) => entry(seq, 'message.delete', `"data":{"seq":${of}}`);

const add = (room: string, entries: LogEntry[], some: Partial<Batch> = {}) =>
  archive.write((tx) =>
    archiveBatch(tx, {
      ...{ room, seen: '1.a', epoch: '1.a', base: 0, hotFirst: 1, private: false, cleared: 0, entries },
      ...some,
    }),
  );

const places = (room: string, ...texts: string[]) => archive.read((tx) => placesOf(tx, room, texts));

/** As retention does. */
const forget = (room: string, upTo: number) =>
  archive.write(async (tx) => {
    for (const table of ['messages', 'entries'])
      await tx.query(`DELETE FROM ${table} WHERE room = $1 AND seq <= $2`, [room, upTo]);
    await tx.query('UPDATE rooms SET first = $2 WHERE room = $1', [room, upTo + 1]);
  });

test('edits of a message that the archive no longer has lose their texts', async () => {
  const room = newRoom();
  await add(room, [send(1), send(2), edit(3, 1, 'secret 1'), edit(4, 2, 'kept')], { seen: undefined });
  await forget(room, 1);
  await add(room, [edit(5, 1, 'secret 2'), edit(6, 2, 'kept too'), remove(7, 1)]);
  assert.deepEqual(await places(room, 'secret', 'kept too'), ['entries: kept too', 'messages: kept too']);
  const sql = 'SELECT tail FROM entries WHERE room = $1 AND seq IN (3, 5)';
  const erased = { tail: '"data":{"seq":1},"erased":true' };
  assert.deepEqual(await archive.read((tx) => tx.query(sql, [room])), [erased, erased]);
});

test('a page does not show edits of a message that is deleted since and that the archive no longer has', async () => {
  const room = newRoom();
  await add(room, [send(1), send(2), edit(3, 1, 'secret'), edit(4, 2, 'kept')], { seen: undefined });
  await forget(room, 1);
  const shown = await archive.read(async (tx) => {
    const query = {
      room,
      reader: 'jun',
      of: { kind: 'entries' },
      from: { after: 0 },
      limit: 10,
      bytesMax: 9_999,
    } as const;
    const { entries } = await readPage(tx, query);
    return applyLate(tx, { room, reader: 'jun', entries, changes: [remove(5, 1)] });
  });
  assert.ok(!JSON.stringify(shown).includes('secret'));
  assert.deepEqual(
    shown.map(({ tail }) => tail),
    ['"text":"hello"', '"data":{"seq":1},"erased":true', '"data":{"seq":2,"text":"kept"}'],
  );
});

test('edits that a rollback set aside lose their texts with the deletion of their message', async () => {
  const room = newRoom();
  const first = [send(1), send(2), edit(3, 1, 'secret 1'), edit(4, 2, 'kept'), edit(5, 1, 'secret 2')];
  await add(room, first, { seen: undefined });
  await add(room, [], { epoch: '2.b', base: 2, entries: [] });
  assert.deepEqual(await places(room, 'secret', 'kept'), ['set_aside: secret', 'set_aside: kept']);
  await add(room, [remove(3, 1)], { seen: '2.b', epoch: '2.b', base: 2 });
  assert.deepEqual(await places(room, 'secret', 'kept'), ['set_aside: kept']);
  const sql = 'SELECT seq, tail FROM set_aside WHERE room = $1 ORDER BY seq';
  const tail = '"data":{"seq":1},"erased":true';
  assert.deepEqual(await archive.read((tx) => tx.query(sql, [room])), [
    { seq: 3, tail },
    { seq: 4, tail: '"data":{"seq":2,"text":"kept"}' },
    { seq: 5, tail },
  ]);
});

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('send', 'reply', 'edit', 'edit', 'edit', 'delete'),
  user: fc.constant('mina'),
  back: fc.nat(9),
});

test('whatever retention removed before, no deleted text stays', async () => {
  const seed = process.env.MARU_TEST_SEED === undefined ? {} : { seed: Number(process.env.MARU_TEST_SEED) };
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 40, maxLength: 80 }),
      fc.nat(99),
      fc.nat(99),
      async (acts, at, share) => {
        const room = newRoom();
        const model = new RoomModel();
        for (const one of acts) model.act(one);
        const half = 1 + Math.floor(((model.head - 1) * at) / 100);
        await add(room, structuredClone(model.log.slice(0, half)), { seen: undefined });
        await forget(room, Math.floor((half * share) / 100));
        for (let from = half; from < model.head; from += 7)
          await add(room, structuredClone(model.log.slice(from, from + 7)));
        assert.deepEqual(await places(room, ...model.goneTexts()), []);
      },
    ),
    { ...seed, numRuns: Number(process.env.MARU_TEST_RUNS ?? 25) },
  );
});
