/**
 * Random acts of users, trims, and archivers that fail, in random order. At every moment, each
 * entry is in the hot log or in the archive. For a message that has left the hot log, the archive
 * has every change.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { singleStore } from '@maru/redis-store';
import fc from 'fast-check';
import { copyRooms } from '../../services/archiver/src/copy/copy-rooms.ts';
import type { RoomStore } from '../../services/archiver/src/store/room-store.ts';
import { archivedSeqs, type Rig, startRig, upTo } from '../../services/archiver/src/testing/rig.ts';
import { archiveTrimKey, roomErasedKey, roomLogKey, roomMetaKey } from '../../services/gateway/src/keys.ts';
import type { HotLog } from '../../services/gateway/src/log/hot-log.ts';
import { createRedisRoomLog, type Retention } from '../../services/gateway/src/log/redis-room-log.ts';
import type { Change } from '../../services/gateway/src/log/room-log.ts';
import { createSeenPositions } from '../../services/gateway/src/log/seen-positions.ts';
import { trimQueued } from '../../services/gateway/src/log/trim-queue.ts';

const STEPS = 120;
const RETENTION: Retention = { entriesMin: 5, entriesMax: 5, ageMs: 3_600_000, emptyRoomTtlMs: 60_000, archive: true };

let rig: Rig;
let log: HotLog;
before(async () => {
  rig = await startRig();
  const store = singleStore(rig.admin);
  log = createRedisRoomLog({
    ...{ appendStore: store, readStore: store, seen: createSeenPositions({ roomsMax: 1_000 }), retention: RETENTION },
    ...{ deadlineMs: 5_000, waitReplicas: 0, onRefused: () => {}, now: () => performance.now() },
  });
});
after(() => rig.stop());

type Step =
  | { do: 'say'; count: number }
  | { do: 'edit' | 'delete' | 'react' | 'reply'; back: number }
  | { do: 'trim' }
  /**
   * Two archivers, each with a maximum number of entries. `dies`: the step at which one of them
   * dies.
   */
  | { do: 'archive'; entriesMax: number; dies: 'before commit' | 'before mark' | 'never' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('say' as const), count: fc.integer({ min: 1, max: 12 }) }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('edit', 'delete', 'react', 'reply'), back: fc.nat(30) }),
  } as fc.WeightedArbitrary<Step>,
  fc.record({ do: fc.constant('trim' as const) }),
  fc.record({
    do: fc.constant('archive' as const),
    entriesMax: fc.integer({ min: 1, max: 15 }),
    dies: fc.constantFrom('before commit', 'before mark', 'never'),
  }),
);

function changeOf(what: Step['do'], seq: number, number: number): Change {
  switch (what) {
    case 'edit':
      return { type: 'edit', seq, text: `edit ${number}`, mentions: undefined };
    case 'delete':
      return { type: 'delete', seq, reason: undefined };
    case 'react':
      return { type: 'react', seq, emoji: '👍', active: number % 2 === 0 };
    default:
      return { type: 'send', text: `reply ${number}`, thread: seq, mentions: undefined };
  }
}

async function archiveSome(room: string, { entriesMax, dies }: Extract<Step, { do: 'archive' }>) {
  const small: RoomStore = {
    ...rig.store,
    read: (name, from, bounds) => rig.store.read(name, from, { ...bounds, entriesMax }),
  };
  const died = () => Promise.reject(new Error('planted'));
  const options = { archive: rig.rooms, metrics: rig.metrics, logger: rig.logger, askForTrim: async () => {} };
  await Promise.all([
    copyRooms([room], { ...options, store: small }),
    copyRooms([room], {
      ...options,
      store: dies === 'before mark' ? { ...small, mark: died } : small,
      archive: dies === 'before commit' ? { ...rig.rooms, write: died } : rig.rooms,
    }).catch(() => {}),
  ]);
}

async function trim(room: string) {
  await rig.admin.sadd(archiveTrimKey(), room);
  await trimQueued(singleStore(rig.admin), RETENTION);
}

async function hotSeqs(room: string): Promise<number[]> {
  const entries = await rig.admin.xrange(roomLogKey(room), '-', '+');
  const erased = await rig.admin.hkeys(roomErasedKey(room));
  return [...entries.map(([id]) => Number.parseInt(id, 10)), ...erased.map(Number)];
}

/** Reads first the log, then the archive, so that a trim in between causes no gap. */
async function check(room: string, head: number, concerns: ReadonlyMap<number, number>) {
  const hot = new Set(await hotSeqs(room));
  const archived = await archivedSeqs(rig, room);
  assert.equal(new Set(archived).size, archived.length);
  const all = [...new Set([...hot, ...archived])].sort((a, b) => a - b);
  assert.deepEqual(all, upTo(head), 'no entry is lost');
  const position = archived.at(-1) ?? 0;
  const noted = Number((await rig.admin.hget(roomMetaKey(room), 'archived')) ?? 0);
  assert.ok(noted <= position, `${noted} is noted, ${position} is archived`);
  for (const [seq, concern] of concerns)
    assert.ok(hot.has(seq) || concern <= position, `${seq} left before the archive had ${concern}`);
}

test('no entry and no change is lost between the hot log and the archive', async () => {
  const seed = Number(process.env.MARU_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (MARU_TEST_SEED)`);
  let rooms = 0;
  let trimmed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS }), async (steps) => {
      const room = `trimmed-${++rooms}`;
      await log.read(room, { userId: 'mina' }, { mode: 'none' }, { create: true });
      let head = 0;
      const concerns = new Map<number, number>();
      for (const [number, one] of steps.entries()) {
        const by = { room, userId: 'mina', userName: 'Mina', mayStore: true };
        if (one.do === 'say')
          for (let n = 0; n < one.count; n++) {
            await log.append({ ...by, clientMsgId: `say-${number}-${n}`, text: `text ${number}` });
            head++;
          }
        else if (one.do === 'trim') await trim(room);
        else if (one.do === 'archive') await archiveSome(room, one);
        else {
          const seq = Math.max(1, head - one.back);
          const change = changeOf(one.do, seq, number);
          const result = await log.change({ ...by, clientMsgId: `change-${number}`, isAdmin: false, change });
          if (result.outcome !== 'stored') continue;
          head = result.seq;
          concerns.set(seq, result.seq);
        }
        await check(room, head, concerns);
      }
      for (let n = 0; n * 15 <= head; n++) await archiveSome(room, { do: 'archive', entriesMax: 15, dies: 'never' });
      await trim(room);
      assert.deepEqual(await archivedSeqs(rig, room), upTo(head));
      trimmed += head - (await hotSeqs(room)).length;
    }),
    { seed, numRuns: Number(process.env.MARU_TEST_RUNS ?? 4), endOnFailure: true },
  );
  assert.ok(trimmed > 0);
});
