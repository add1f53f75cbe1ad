import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Archive, openArchive } from './archive.ts';
import { archiveBatches } from './batches.ts';
import { migrateArchive } from './migrate.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';
import { type Act, RoomModel } from './testing/room-model.ts';
import { archiveBatch, type Batch } from './writer.ts';

const ROOMS = ['a', 'b', 'c', 'd', 'e'];

let server: TestPostgres;
const archives: Archive[] = [];
before(async () => {
  server = await startTestPostgres();
  for (let n = 0; n < 2; n++) {
    const url = await server.createDatabase();
    await migrateArchive({ url, log: () => undefined });
    archives.push(openArchive({ url, poolMax: 2, deadlineMs: 20_000, onError: () => undefined }));
  }
});
after(async () => {
  await Promise.all(archives.map((archive) => archive.close()));
  await server.stop();
});

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constantFrom('send' as const, 'other' as const), user: fc.constant('mina') }),
  },
  fc.record({ kind: fc.constantFrom('reply', 'edit', 'delete', 'pin'), user: fc.constant('mina'), back: fc.nat(5) }),
) as fc.Arbitrary<Act>;
/** In each round some rooms grow, and one of them may have another epoch. */
const round = fc.record({
  grow: fc.array(fc.record({ room: fc.nat(ROOMS.length - 1), acts: fc.array(act, { maxLength: 6 }) }), {
    maxLength: 6,
  }),
  rollsBack: fc.option(fc.nat(ROOMS.length - 1), { freq: 4 }),
});

async function tablesOf(archive: Archive): Promise<unknown> {
  return archive.read(async (tx) => ({
    rooms: await tx.query('SELECT * FROM rooms ORDER BY room'),
    entries: await tx.query('SELECT * FROM entries ORDER BY room, seq'),
    messages: await tx.query('SELECT * FROM messages ORDER BY room, seq'),
  }));
}

test('batches of many rooms give the same tables as each batch alone', async () => {
  const seed = Number(process.env.MARU_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (MARU_TEST_SEED)`);
  const [together, alone] = archives as [Archive, Archive];
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 8, maxLength: 8 }), async (rounds) => {
      const tables = 'TRUNCATE rooms, entries, messages, reactions, set_aside';
      for (const archive of archives) await archive.write((tx) => tx.query(tables));
      const models = new Map(ROOMS.map((room) => [room, new RoomModel()]));
      const positions = new Map<string, { seen: string; position: number }>();
      for (const { grow, rollsBack } of rounds) {
        for (const { room, acts } of grow) for (const one of acts) models.get(ROOMS[room] as string)?.act(one);
        const lost = rollsBack === null ? undefined : models.get(ROOMS[rollsBack] as string);
        const known = rollsBack === null ? undefined : positions.get(ROOMS[rollsBack] as string);
        if (lost !== undefined && known !== undefined && lost.head > 1)
          lost.rollBack(Math.floor(lost.head / 2), known.position);
        const batches = [...models].flatMap(([room, model]): Batch[] => {
          if (model.head === 0) return [];
          const { epoch, base } = model;
          const place = { room, seen: positions.get(room)?.seen, epoch, base, hotFirst: 1, private: false, cleared: 0 };
          return [{ ...place, entries: structuredClone(model.log) }];
        });
        const results = await together.write((tx) => archiveBatches(tx, batches));
        for (const batch of batches) {
          const result = await alone.write((tx) => archiveBatch(tx, batch));
          assert.deepEqual(results.get(batch.room), result);
          positions.set(batch.room, { seen: result.epoch, position: result.position });
        }
        assert.deepEqual(await tablesOf(together), await tablesOf(alone));
      }
    }),
    { seed, numRuns: Number(process.env.MARU_TEST_RUNS ?? 10), endOnFailure: true },
  );
});
