import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { migrateArchive } from './migrate.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';

let server: TestPostgres;
before(async () => {
  server = await startTestPostgres();
});
after(() => server.stop());

const log = () => undefined;

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const tables = async (url: string): Promise<unknown[]> => {
  const rows = await ask(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`);
  return rows.map(({ tablename }) => tablename);
};
const MIGRATIONS = ['0001_tables', '0002_set_aside_targets'];
const ALL = ['entries', 'jobs', 'messages', 'migrations', 'reactions', 'rooms', 'set_aside'];

test('two concurrent migrations of an empty database run once', async () => {
  const url = await server.createDatabase();
  const ran = await Promise.all([migrateArchive({ url, log }), migrateArchive({ url, log })]);
  assert.deepEqual(ran.map(({ length }) => length).sort(), [0, MIGRATIONS.length]);
  assert.deepEqual(await tables(url), ALL);
});

test('migrations can be undone and repeated', async () => {
  const url = await server.createDatabase();
  await migrateArchive({ url, log });
  for (const name of MIGRATIONS.toReversed())
    assert.deepEqual(await migrateArchive({ url, log, direction: 'down' }), [name]);
  assert.deepEqual(await tables(url), ['migrations']);
  await migrateArchive({ url, log });
  assert.deepEqual(await tables(url), ALL);
});

test('the migration refuses a database that a newer release changed', async () => {
  const url = await server.createDatabase();
  await migrateArchive({ url, log });
  await ask(url, `INSERT INTO migrations (name, run_on) VALUES ('9999_later', now())`);
  await assert.rejects(migrateArchive({ url, log }), /newer than this release.*9999_later/);
});

test('the migration also finds its files at a path', async () => {
  const url = await server.createDatabase();
  const directory = new URL('../migrations', import.meta.url).pathname;
  assert.deepEqual(await migrateArchive({ url, log, directory }), MIGRATIONS);
});

test('edits that were set aside before know their message, and lose the texts of deleted ones', async () => {
  const url = await server.createDatabase();
  await migrateArchive({ url, log });
  await migrateArchive({ url, log, direction: 'down' });
  await ask(url, `INSERT INTO messages (room, seq, ts, author, deleted_ts) VALUES ('tea', 1, 1, 'mina', 2)`);
  for (const [seq, of] of [
    [7, 1],
    [8, 2],
  ])
    await ask(
      url,
      `INSERT INTO set_aside VALUES ('tea', ${seq}, '1.a', 1, 'mina',
        '"n":1,"type":"message.edit","from":{}', '"data":{"seq":${of},"text":"secret"}')`,
    );
  await migrateArchive({ url, log });
  assert.deepEqual(await ask(url, 'SELECT target, tail FROM set_aside ORDER BY seq'), [
    { target: '1', tail: '"data":{"seq":1},"erased":true' },
    { target: '2', tail: '"data":{"seq":2,"text":"secret"}' },
  ]);
});
