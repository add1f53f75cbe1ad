/** Rooms that fail do not stop the others of a worker. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ArchiveUnavailable } from '@maru/archive-db';
import { poll } from '@maru/service-kit/testing';
import type { RoomArchive } from '../archive/room-archive.ts';
import type { RoomQueue } from '../store/room-queue.ts';
import { archivedSeqs, type Rig, rollBackTo, say, startRig, upTo } from '../testing/rig.ts';
import { startWorker } from './worker.ts';

let rig: Rig;
before(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
after(() => rig.stop());

/** Runs a worker until `done`, against an archive that may fail. */
async function work(
  archive: RoomArchive,
  done: () => Promise<boolean>,
  now = () => performance.now(),
  queue: RoomQueue = rig.queue,
) {
  const loop = startWorker({ ...rig, archive, queue, worker: `w-${Math.random()}`, now });
  try {
    await poll('the worker', done, { timeoutMs: 60_000 });
  } finally {
    await loop.stop();
  }
}

const timeout = () => new ArchiveUnavailable('timeout', 'planted');
const isArchived = async (room: string, head: number) => (await archivedSeqs(rig, room)).at(-1) === head;

test('a room whose transactions take too long does not stop others, and is tried again', async () => {
  const rooms = upTo(10).map((n) => `room-${n}`);
  for (const room of [...rooms, 'slow']) await say(rig, room, 3);
  let isSlow = true;
  let clock = 0;
  const calls: string[][] = [];
  const archive: RoomArchive = {
    ...rig.rooms,
    async write(batches) {
      const written = batches.map(({ room }) => room);
      calls.push(written);
      if (isSlow && written.includes('slow')) throw timeout();
      return rig.rooms.write(batches);
    },
  };
  const areArchived = async () => (await Promise.all(rooms.map((room) => isArchived(room, 3)))).every((one) => one);
  let again = 0;
  await work(
    archive,
    async () => {
      if (!(await areArchived())) return false;
      // It is alone from now on, so that the others do not wait for its deadline.
      again ||= calls.length;
      clock += 31_000;
      if (calls.slice(again).some((call) => call.includes('slow'))) isSlow = false;
      return isArchived('slow', 3);
    },
    () => clock,
  );
  assert.ok(again > 0);
  for (const call of calls.slice(again)) if (call.includes('slow')) assert.deepEqual(call, ['slow']);
});

test('a round of slow rooms ends before its claims do', async () => {
  const rooms = upTo(30).map((n) => `late-${n}`);
  for (const room of rooms) await say(rig, room, 1);
  let clock = 0;
  let isSlow = true;
  let alone = 0;
  const perRound: number[] = [];
  const queue: RoomQueue = {
    ...rig.queue,
    claim: (...args) => {
      perRound.push(alone);
      alone = 0;
      return rig.queue.claim(...args);
    },
  };
  const archive: RoomArchive = {
    ...rig.rooms,
    async write(batches) {
      if (!isSlow) return rig.rooms.write(batches);
      if (batches.length > 1) throw timeout();
      alone++;
      // Half of a claim has passed after four rooms.
      clock += 4_000;
      return rig.rooms.write(batches);
    },
  };
  const areArchived = async () => (await Promise.all(rooms.map((room) => isArchived(room, 1)))).every((one) => one);
  await work(
    archive,
    async () => {
      if (perRound.filter((count) => count > 0).length > 2) isSlow = false;
      return areArchived();
    },
    () => clock,
    queue,
  );
  assert.ok(Math.max(...perRound) > 0 && Math.max(...perRound) <= 4, perRound.join());
});

test('a server that is slow for all rooms is not asked for each of them', async () => {
  for (const n of upTo(20)) await say(rig, `room-${n}`, 1);
  let calls = 0;
  const archive: RoomArchive = {
    ...rig.rooms,
    async write() {
      calls += 1;
      throw timeout();
    },
  };
  const failures = async () =>
    (await rig.metrics.failures.get()).values.find(({ labels }) => labels.part === 'copy')?.value ?? 0;
  const before = await failures();
  await work(archive, async () => (await failures()) > before);
  assert.ok(calls <= 6, String(calls));
});

test('a rollback of many entries is followed in steps, while other rooms are copied', async () => {
  await say(rig, 'large', 9_000);
  await work(rig.rooms, () => isArchived('large', 9_000));
  await rollBackTo(rig, 'large', 500, '2.b');
  await say(rig, 'large', 10, { text: 'again' });
  await say(rig, 'small', 3);
  const sizes: number[] = [];
  const archive: RoomArchive = {
    ...rig.rooms,
    async write(batches) {
      const results = await rig.rooms.write(batches);
      const large = results.get('large');
      if (large !== undefined) sizes.push(large.setAside);
      return results;
    },
  };
  await work(archive, async () => (await isArchived('large', 510)) && (await isArchived('small', 3)));
  assert.deepEqual(sizes.slice(0, 5), [2_000, 2_000, 2_000, 2_000, 500]);
  assert.deepEqual(await archivedSeqs(rig, 'large'), upTo(510));
  const aside = await rig.rows<{ seq: number }>('SELECT seq FROM set_aside ORDER BY seq');
  assert.deepEqual(
    aside.map(({ seq }) => seq),
    upTo(9_000, 501),
  );
});
