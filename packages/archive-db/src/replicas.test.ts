import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Archive, openArchive, type Tx } from './archive.ts';
import { migrateArchive } from './migrate.ts';
import { openReplicas, type Replicas } from './replicas.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';
import type { ArchiveUnavailable } from './unavailable.ts';

let server: TestPostgres;
let primary: Archive;
/** Another database stands for the replica. It has fewer entries of a room. */
let replicaUrl: string;
const opened: Replicas[] = [];
before(async () => {
  server = await startTestPostgres();
  replicaUrl = await server.createDatabase();
  for (const [url, position] of [
    [server.url, 9],
    [replicaUrl, 5],
  ] as const) {
    await migrateArchive({ url, log: () => undefined });
    const archive = openArchive({ url, poolMax: 1, deadlineMs: 5_000, onError: () => undefined });
    const row = `INSERT INTO rooms (room, epoch, position, first, private) VALUES ('general', '1.a', ${position}, 1, false)`;
    await archive.write((tx) => tx.query(row));
    if (url === server.url) primary = archive;
    else await archive.close();
  }
});
after(async () => {
  await Promise.all([...opened, primary].map((one) => one?.close()));
  await server.stop();
});

function open(url: string | undefined, errors: ArchiveUnavailable[] = []): Replicas {
  const onError = (error: ArchiveUnavailable) => errors.push(error);
  const replicas = openReplicas({ primary, replicaUrl: url, poolMax: 1, deadlineMs: 2_000, onError });
  opened.push(replicas);
  return replicas;
}

/** 5 on the replica, 9 on the primary. */
const position = async (tx: Tx) => (await tx.query<{ position: number }>('SELECT position FROM rooms'))[0]?.position;

test('the replica answers reads that it is fresh enough for', async () => {
  const replicas = open(replicaUrl);
  assert.equal(await replicas.read(position), 5);
  assert.equal(await replicas.read(position, { need: { room: 'general', epoch: '1.a', position: 5 } }), 5);
  assert.equal(await replicas.read(position, { need: { room: 'new', position: 0 } }), 5);
});

test('the primary answers reads for which the replica is too old', async () => {
  const replicas = open(replicaUrl);
  assert.equal(await replicas.read(position, { need: { room: 'general', position: 6 } }), 9);
  assert.equal(await replicas.read(position, { need: { room: 'general', epoch: '2.b', position: 1 } }), 9);
  assert.equal(await replicas.read(position, { need: { room: 'new', position: 1 } }), 9);
  assert.deepEqual(replicas.counts(), { replica: 0, stale: 3, failed: 0 });
});

test('the primary answers when the replica fails, and the replica is not asked again immediately', async () => {
  const errors: ArchiveUnavailable[] = [];
  const replicas = open('postgres://maru@127.0.0.1:1/maru', errors);
  assert.equal(await replicas.read(position), 9);
  assert.equal(await replicas.read(position), 9);
  assert.deepEqual(
    errors.map(({ kind }) => kind),
    ['connection'],
  );
});

test('without a replica, the primary answers every read', async () => {
  assert.equal(await open(undefined).read(position), 9);
});
