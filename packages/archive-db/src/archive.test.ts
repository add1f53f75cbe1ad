import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { poll, sleep } from '@maru/service-kit/testing';
import { type Archive, openArchive } from './archive.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';
import { ArchiveUnavailable } from './unavailable.ts';

let server: TestPostgres;
const archives: Archive[] = [];
const errors: ArchiveUnavailable[] = [];

before(async () => {
  server = await startTestPostgres();
});
after(async () => {
  await Promise.all(archives.map((archive) => archive.close()));
  await server.stop();
});

function open({ poolMax = 2, deadlineMs = 5_000 } = {}): Archive {
  const archive = openArchive({ url: server.url, poolMax, deadlineMs, onError: (error) => errors.push(error) });
  archives.push(archive);
  return archive;
}

const one = (archive: Archive) => archive.read((tx) => tx.query('SELECT 1 AS one'));
const fails = (kind: string) => (error: unknown) => error instanceof ArchiveUnavailable && error.kind === kind;
const write = async (archive: Archive, sql: string) => void (await archive.write((tx) => tx.query(sql)));

test('integers of 8 bytes are numbers, also in lists', async () => {
  const rows = await open().read((tx) => tx.query(`SELECT 9007199254740991::bigint AS a, '{1,2}'::bigint[] AS b`));
  assert.deepEqual(rows, [{ a: 9007199254740991, b: [1, 2] }]);
});

test('a read sees one snapshot', async () => {
  const archive = open();
  await write(archive, 'CREATE TABLE snapshot (n int)');
  const count = `SELECT count(*) AS n FROM snapshot`;
  const seen = await archive.read(async (tx) => {
    const first = await tx.query(count);
    await write(archive, 'INSERT INTO snapshot VALUES (1)');
    return [first, await tx.query(count)];
  });
  assert.deepEqual(seen, [[{ n: 0 }], [{ n: 0 }]]);
});

test('a read cannot write', async () => {
  await assert.rejects(
    open().read((tx) => tx.query('CREATE TABLE forbidden ()')),
    fails('read_only'),
  );
});

test('a write whose function throws changes nothing, and its connection stays usable', async () => {
  const archive = open({ poolMax: 1 });
  await assert.rejects(
    archive.write(async (tx) => {
      await tx.query('CREATE TABLE undone ()');
      throw new RangeError('no');
    }),
    RangeError,
  );
  assert.deepEqual(await archive.read((tx) => tx.query(`SELECT to_regclass('undone') AS t`)), [{ t: null }]);
  assert.equal(archive.usage().open, 1);
});

test('a slow statement fails at the deadline, and the next call works', async () => {
  const archive = open({ poolMax: 1 });
  await assert.rejects(
    archive.read((tx) => tx.query('SELECT pg_sleep(30)'), { deadlineMs: 200 }),
    fails('timeout'),
  );
  await one(archive);
});

test('a call fails when all connections are in use until its deadline', async () => {
  const archive = open({ poolMax: 1 });
  const held = archive.read((tx) => tx.query('SELECT pg_sleep(0.5)'));
  await assert.rejects(
    archive.read((tx) => tx.query('SELECT 1'), { deadlineMs: 100 }),
    fails('timeout'),
  );
  await held;
  await one(archive);
});

test('an error has the code of the server, and no value', async () => {
  const bad = open().read((tx) => tx.query('SELECT $1::tsvector', ["'a secret"]));
  await assert.rejects(bad, (error: ArchiveUnavailable) => {
    assert.deepEqual([error.kind, error.code, error.cause], ['other', '42601', undefined]);
    return !error.message.includes('secret');
  });
});

test('too many waiting calls fail at once', async () => {
  const archive = open({ poolMax: 1, deadlineMs: 1_000 });
  const held = archive.read((tx) => tx.query('SELECT pg_sleep(0.3)'));
  const results = await Promise.allSettled(Array.from({ length: 60 }, () => one(archive)));
  const refused = results.filter(({ status }) => status === 'rejected');
  assert.ok(refused.length > 0 && refused.every((result) => fails('busy')((result as PromiseRejectedResult).reason)));
  await held;
});

test('a silent server fails calls at their deadline, and they work when it answers again', async () => {
  const archive = open({ poolMax: 2, deadlineMs: 300 });
  await one(archive);
  server.pause();
  try {
    // The first uses an open connection, the others need new ones.
    const results = await Promise.allSettled([one(archive), one(archive), one(archive)]);
    for (const result of results) {
      assert.ok(result.status === 'rejected' && fails('timeout')(result.reason));
    }
    await poll('silent connections are closed', () => archive.usage().open === 0);
  } finally {
    server.resume();
  }
  await poll('the archive works', () => one(archive));
});

test('a killed server fails calls at once, and they work after its restart', async () => {
  const archive = open();
  const running = archive.read((tx) => tx.query('SELECT pg_sleep(30)'));
  await sleep(100);
  await Promise.all([assert.rejects(running, fails('connection')), server.kill()]);
  await assert.rejects(one(archive), fails('connection'));
  await server.restart();
  await one(archive);
});
