import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Archive, openArchive } from './archive.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { migrateArchive } from './migrate.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';

let server: TestPostgres;
let archive: Archive;
let jobs: Jobs;

before(async () => {
  server = await startTestPostgres();
  await migrateArchive({ url: server.url, log: () => {} });
  archive = openArchive({ url: server.url, poolMax: 4, deadlineMs: 5_000, onError: () => {} });
  jobs = createJobs(archive);
});
after(async () => {
  await archive.close();
  await server.stop();
});

let ids = 0;
const erasure = (userId: string) => ({ id: `job-${++ids}`, kind: 'erase' as const, userId, userName: 'M', untilTs: 9 });
const endLeases = () => archive.write((tx) => tx.query(`UPDATE jobs SET leased_until = now() - interval '1 s'`));
const finishAll = async () => {
  await endLeases();
  for (let job = await jobs.lease('end'); job !== undefined; job = await jobs.lease('end'))
    await jobs.finish('end', job.id, {});
};

test('a user has one open job, which other users cannot see', async () => {
  const first = await jobs.open(erasure('mina'));
  assert.deepEqual((await jobs.open(erasure('mina'))).id, first.id);
  assert.deepEqual(await jobs.find(first.id, 'mina'), first);
  assert.equal(await jobs.find(first.id, 'jun'), undefined);
  await finishAll();
  assert.equal((await jobs.find(first.id, 'mina'))?.state, 'done');
  assert.notEqual((await jobs.open(erasure('mina'))).id, first.id);
  await finishAll();
});

test('one of two workers gets a job, and its progress survives the worker', async () => {
  await jobs.open(erasure('mina'));
  const leased = await Promise.all(['a', 'b', 'c'].map((worker) => jobs.lease(worker)));
  assert.equal(leased.filter((job) => job !== undefined).length, 1);
  const index = leased.findIndex((job) => job !== undefined);
  const [holder, id] = [['a', 'b', 'c'][index] as string, leased[index]?.id as string];
  assert.equal(await jobs.save(holder, id, { at: 7 }), true);
  assert.equal(await jobs.lease('d'), undefined);
  await endLeases();
  assert.deepEqual((await jobs.lease('d'))?.progress, { at: 7 });
  assert.equal(await jobs.save(holder, id, { at: 8 }), false);
  assert.equal(await jobs.finish(holder, id, {}), false);
  assert.equal(await jobs.finish('d', id, {}), true);
});

test('a released job waits for its delay', async () => {
  const { id } = await jobs.open(erasure('mina'));
  await jobs.lease('a');
  await jobs.release('a', id, 60_000);
  assert.equal(await jobs.lease('b'), undefined);
  await endLeases();
  assert.equal((await jobs.lease('b'))?.id, id);
});
