import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toWords } from '@maru/search-text';
import fc from 'fast-check';
import { type Archive, openArchive } from './archive.ts';
import { textOf } from './entries.ts';
import { STATE_COLUMNS, type StateRow, stateOf } from './load-states.ts';
import { migrateArchive } from './migrate.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';
import { type Act, RoomModel } from './testing/room-model.ts';
import { placesOf } from './testing/texts.ts';
import { archiveBatch, type Batch, type BatchResult, readArchivedRoom } from './writer.ts';

/** fast-check prints the seed of a failure. */
const SEED = process.env.MARU_TEST_SEED === undefined ? {} : { seed: Number(process.env.MARU_TEST_SEED) };

let server: TestPostgres;
let archive: Archive;
before(async () => {
  server = await startTestPostgres();
  await migrateArchive({ url: server.url, log: () => undefined });
  archive = openArchive({ url: server.url, poolMax: 4, deadlineMs: 20_000, onError: () => undefined });
});
after(async () => {
  await archive?.close();
  await server.stop();
});

let rooms = 0;
const newRoom = () => `room-${++rooms}`;
/** The hot log has already lost the entries before this seq when a rollback happens. */
const HOT_FIRST = 3;
const SENDS: Act[] = Array.from({ length: 6 }, () => ({ kind: 'send', user: 'mina' }));

const batchOf = (room: string, model: RoomModel, some: Partial<Batch> = {}): Batch => ({
  room,
  seen: undefined,
  epoch: model.epoch,
  base: model.base,
  hotFirst: 1,
  private: false,
  cleared: 0,
  entries: structuredClone(model.log),
  ...some,
});
const add = (batch: Batch): Promise<BatchResult> => archive.write((tx) => archiveBatch(tx, batch));
const modelOf = (acts: Act[]): RoomModel => {
  const model = new RoomModel();
  for (const act of acts) model.act(act);
  return model;
};

/** Copies a log as an archiver does, at most `count` entries at a time, or set aside at once. */
async function copy(room: string, model: RoomModel, count: number, hotFirst = 1): Promise<void> {
  for (;;) {
    const row = await archive.read((tx) => readArchivedRoom(tx, room));
    if (row !== undefined && row.epoch === model.epoch && row.position === model.head) return;
    const from = row === undefined ? hotFirst : Math.max(hotFirst, Math.min(row.position, model.head) + 1);
    const entries = structuredClone(model.log.slice(from - 1, from - 1 + count));
    await add(batchOf(room, model, { seen: row?.epoch, entries, hotFirst, movedMax: count }));
  }
}

async function assertTables(room: string, model: RoomModel): Promise<void> {
  const { entries, messages } = model.tables();
  await archive.read(async (tx) => {
    const found = await tx.query(
      'SELECT seq, ts, n, author, is_message AS "isMessage", head, tail FROM entries WHERE room = $1 ORDER BY seq',
      [room],
    );
    assert.deepEqual(found, entries);
    const rows = await tx.query<StateRow>(`SELECT ${STATE_COLUMNS} FROM messages m WHERE room = $1 ORDER BY seq`, [
      room,
    ]);
    assert.deepEqual(
      rows.map(stateOf),
      messages.map(({ state }) => state),
    );
    const reactors = await tx.query('SELECT seq, emoji, user_id, at FROM reactions WHERE room = $1 ORDER BY at', [
      room,
    ]);
    const expected = messages.flatMap(({ state, reactors: list }) =>
      list.map(({ emoji, user, at }) => ({ seq: state.seq, emoji, user_id: user, at })),
    );
    assert.deepEqual(
      reactors,
      expected.sort((a, b) => a.at - b.at),
    );
    const words = messages.map(({ state: { deleted, tail, author, ts }, tail: own }) => {
      const text = textOf(tail ?? own) ?? '';
      return deleted === undefined ? toWords({ text, room, author, ts, private: false }) : null;
    });
    const wrong = await tx.query(
      `SELECT m.seq, m.words FROM messages m JOIN unnest($2::bigint[], $3::text[]) AS w (seq, words) USING (seq)
      WHERE m.room = $1 AND m.words IS DISTINCT FROM w.words::tsvector`,
      [room, messages.map(({ state }) => state.seq), words],
    );
    assert.deepEqual(wrong, []);
    assert.deepEqual(await placesOf(tx, room, model.goneTexts()), []);
  });
}

const common = { user: fc.constantFrom(...'abcdefghijklmn'), back: fc.nat(12) };
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ...common, kind: fc.constantFrom('send' as const, 'reply' as const) }) },
  { weight: 4, arbitrary: fc.record({ ...common, kind: fc.constantFrom('edit' as const, 'pin' as const) }) },
  { weight: 1, arbitrary: fc.record({ ...common, kind: fc.constantFrom('delete' as const, 'other' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      user: common.user,
      back: fc.nat(2),
      kind: fc.constant('react' as const),
      emoji: fc.constantFrom('👍', '"', '/'),
    }),
  },
);
const acts = fc.array(act, { minLength: 60, maxLength: 160 });

test('batches of any size, with two concurrent writers, give the tables of the whole log', async () => {
  await fc.assert(
    fc.asyncProperty(acts, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), async (list, one, two) => {
      const room = newRoom();
      const model = modelOf(list);
      await Promise.all([copy(room, model, one), copy(room, model, two)]);
      await assertTables(room, model);
    }),
    { numRuns: 12 },
  );
});

test('rollbacks give the tables of the remaining log, and lose no entry', async () => {
  const rollback = fc.record({ acts: fc.array(act, { maxLength: 60 }), lost: fc.nat(30), missed: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(acts, fc.array(rollback, { minLength: 1, maxLength: 4 }), async (list, rollbacks) => {
      const room = newRoom();
      const model = modelOf([...SENDS, ...list]);
      await copy(room, model, 50);
      let archived = model.head;
      let common = model.head;
      for (const { acts: more, lost, missed } of rollbacks) {
        model.rollBack(Math.max(HOT_FIRST, model.head - lost), archived);
        archived = Math.min(archived, model.head);
        common = Math.min(common, model.head);
        for (const one of more) model.act(one);
        if (missed) continue;
        model.base = common;
        await Promise.all([copy(room, model, 7, HOT_FIRST), copy(room, model, 50, HOT_FIRST)]);
        archived = model.head;
        common = model.head;
        await assertTables(room, model);
      }
    }),
    { ...SEED, numRuns: Number(process.env.MARU_TEST_RUNS ?? 12) },
  );
});

test('an edit that a rollback removed is forgotten, even if its message stays deleted', async () => {
  const room = newRoom();
  const model = modelOf(SENDS);
  const copyAll = () => copy(room, model, 50);
  model.act({ kind: 'delete', user: 'mina', back: 0 });
  await copyAll();
  // The deletion is lost, so the message can be edited. The edit is lost too.
  model.rollBack(6, 7);
  model.base = 6;
  model.act({ kind: 'edit', user: 'mina', back: 0 });
  await copyAll();
  await assertTables(room, model);
  model.rollBack(6, 7);
  model.base = 6;
  model.act({ kind: 'send', user: 'mina' });
  await copyAll();
  await assertTables(room, model);
});

test('a repeated batch changes nothing', async () => {
  const room = newRoom();
  const model = modelOf(SENDS);
  assert.deepEqual((await add(batchOf(room, model))).added, 6);
  const again = await add(batchOf(room, model));
  assert.deepEqual([again.added, again.position, again.first], [0, 6, 1]);
  await assertTables(room, model);
});

test("an archiver whose read is older than another archiver's write of a later epoch writes nothing", async () => {
  const room = newRoom();
  const model = modelOf(SENDS);
  await add(batchOf(room, model));
  const stale = batchOf(room, model, { seen: '1.a' });
  model.rollBack(3, 6);
  await add(batchOf(room, model, { seen: '1.a' }));
  const late = await add(stale);
  assert.deepEqual([late.outcome, late.epoch, late.position], ['changed', '2.b', 3]);
  await assertTables(room, model);
});

test('entries that a rollback removed are set aside', async () => {
  const room = newRoom();
  const model = modelOf(SENDS);
  await add(batchOf(room, model));
  model.rollBack(4, 6);
  assert.equal((await add(batchOf(room, model, { seen: '1.a' }))).setAside, 2);
  const rows = await archive.read((tx) => tx.query('SELECT seq, epoch FROM set_aside WHERE room = $1', [room]));
  assert.deepEqual(rows, [
    { seq: 5, epoch: '1.a' },
    { seq: 6, epoch: '1.a' },
  ]);
});

test('the deletion of a room removes all its rows, and a new room with that name begins at its first entry', async () => {
  const room = newRoom();
  const model = modelOf(SENDS);
  await add(batchOf(room, model));
  model.rollBack(4, 6);
  await add(batchOf(room, model, { seen: '1.a' }));
  const deleted = { seen: '2.b', epoch: '3.mark', cleared: 3, entries: [], base: 0 };
  const result = await add(batchOf(room, model, deleted));
  assert.deepEqual([result.position, result.first, result.cleared], [0, 1, 3]);
  for (const table of ['entries', 'messages', 'reactions', 'set_aside']) {
    const rows = await archive.read((tx) => tx.query(`SELECT 1 FROM ${table} WHERE room = $1`, [room]));
    assert.deepEqual(rows, [], table);
  }
  const next = modelOf(SENDS.slice(0, 2));
  const made = await add(batchOf(room, next, { seen: '3.mark', epoch: '4.d', cleared: 3 }));
  assert.deepEqual([made.position, made.first, made.setAside], [2, 1, 0]);
  await assertTables(room, next);
});

test('a room that was deleted and created again between two batches keeps nothing of the deleted one', async () => {
  const room = newRoom();
  await add(batchOf(room, modelOf(SENDS)));
  const next = modelOf(SENDS.slice(0, 2));
  await add(batchOf(room, next, { seen: '1.a', epoch: '3.d', cleared: 2 }));
  await assertTables(room, next);
  const aside = await archive.read((tx) => tx.query('SELECT 1 FROM set_aside WHERE room = $1', [room]));
  assert.deepEqual(aside, []);
});

test('entries that the hot log lost before archiving are reported, and the room begins after them', async () => {
  const room = newRoom();
  const model = modelOf(SENDS);
  await add(batchOf(room, model, { entries: model.log.slice(0, 2) }));
  const result = await add(batchOf(room, model, { seen: '1.a', entries: model.log.slice(4), hotFirst: 5 }));
  assert.deepEqual([result.skipped, result.first, result.position], [2, 5, 6]);
});

test('a batch with a gap is refused', async () => {
  const model = modelOf(SENDS);
  const entries = model.log.filter(({ seq }) => seq !== 3);
  await assert.rejects(add(batchOf(newRoom(), model, { entries })), /has no entry 3/);
});

test('any text and any emoji can be archived', async () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.nat(0xffff).map((u) => String.fromCharCode(u)) }),
  );
  const emoji = anything.map((value) => value.replaceAll('\0', '')).filter((value) => value !== '');
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { minLength: 1 }), fc.array(emoji), async (texts, reactions) => {
      const room = newRoom();
      const entries = [
        ...texts.map((text) => ({ type: 'text', tail: `"text":${JSON.stringify(text)}` })),
        ...texts.map((text) => ({ type: 'message.edit', tail: `"data":${JSON.stringify({ seq: 1, text })}` })),
        ...reactions.map((one) => {
          const data = { seq: 1, emoji: one, active: true };
          return { type: 'message.react', tail: `"data":${JSON.stringify(data)}` };
        }),
      ].map(({ type, tail }, index) => ({
        ...{ seq: index + 1, ts: index, n: 1, author: 'mina', isMessage: type === 'text', tail },
        head: `"n":1,"type":"${type}"`,
      }));
      const added = await add(batchOf(room, new RoomModel(), { entries }));
      assert.equal(added.position, entries.length);
      const rows = await archive.read((tx) =>
        tx.query('SELECT tail FROM entries WHERE room = $1 ORDER BY seq', [room]),
      );
      assert.deepEqual(
        rows,
        entries.map(({ tail }) => ({ tail })),
      );
    }),
    { numRuns: 25 },
  );
});
