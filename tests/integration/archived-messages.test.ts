/** The archive and the hot log compute the same messages from the same entries. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Archive, archiveBatch, migrateArchive, openArchive, readPage, tailOf } from '@maru/archive-db';
import { startTestPostgres, type TestPostgres } from '@maru/archive-db/testing';
import { singleStore } from '@maru/redis-store';
import { createRoomStore, type RoomStore } from '../../services/archiver/src/store/room-store.ts';
import type { StoredEntry } from '../../services/gateway/src/log/entry-codec.ts';
import type { Change, RoomLog } from '../../services/gateway/src/log/room-log.ts';
import { type LogRig, publicRoom, startLogRig } from '../../services/gateway/src/log/testing/log-rig.ts';

const ROOMS = 4;
const ACTS = 220;
/**
 * More users than are listed for one emoji. One name has characters that encoders escape
 * differently.
 */
const USERS = [...'abcdefghijklm', 'x/"y'];
const EMOJI = ['👍', '/'];

let rig: LogRig;
let log: RoomLog;
let hot: RoomStore;
let server: TestPostgres;
let archive: Archive;
before(async () => {
  [rig, server] = await Promise.all([startLogRig(), startTestPostgres()]);
  log = await rig.node();
  hot = createRoomStore(singleStore(rig.admin));
  await migrateArchive({ url: server.url, log: () => undefined });
  archive = openArchive({ url: server.url, poolMax: 2, deadlineMs: 20_000, onError: () => undefined });
});
after(async () => {
  await Promise.all([rig?.stop(), archive?.close()]);
  await server?.stop();
});

/** A linear congruential generator, so that a seed repeats a run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function changeOf(random: (below: number) => number, messages: number[], number: number): Change {
  const newest = (count: number) => messages.at(-1 - random(Math.min(count, messages.length))) ?? 1;
  const seq = newest(12);
  const text = `${number} "x" \\ ","thread":1 }`;
  const mentions = random(2) === 0 ? undefined : ['a', 'x/"y'];
  switch (random(30)) {
    case 0:
      return { type: 'delete', seq, reason: undefined };
    case 1:
      return { type: 'pin', seq, active: random(2) === 0 };
    case 2:
    case 3:
      return { type: 'edit', seq, text, mentions };
    case 4:
    case 5:
      return { type: 'send', text, thread: random(2) === 0 ? undefined : seq, mentions };
    default:
      return {
        type: 'react',
        seq: newest(2),
        emoji: EMOJI[random(EMOJI.length)] ?? '',
        active: random(6) > 0,
      };
  }
}

async function copy(room: string, seen: { epoch: string; position: number } | undefined, entriesMax: number) {
  const read = await hot.read(room, seen?.position ?? 0, { entriesMax, bytesMax: 1_000_000 });
  if (read === undefined) throw new Error(`no room ${room}`);
  const { epoch, base, cleared, entries, first: hotFirst } = read;
  return archive.write((tx) =>
    archiveBatch(tx, { room, seen: seen?.epoch, epoch, base, hotFirst, private: false, cleared, entries }),
  );
}

async function hotEntries(room: string, userId: string): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  for (;;) {
    const piece = { mode: 'after', seq: found.at(-1)?.seq ?? 0, limit: 200 } as const;
    const { entries } = await log.read(room, { userId }, piece);
    if (entries.length === 0) return found;
    found.push(...entries);
  }
}

async function archivedEntries(room: string, reader: string): Promise<StoredEntry[]> {
  const query = { room, reader, of: { kind: 'entries' }, from: { after: 0 }, limit: 1_000, bytesMax: 2 ** 30 } as const;
  const { entries } = await archive.read((tx) => readPage(tx, query));
  return entries.map((entry) => ({ seq: entry.seq, ts: entry.ts, head: entry.head, tail: tailOf(entry) }));
}

test('the archive shows every entry like the hot log, for any reader and any batches', async () => {
  const seed = Number(process.env.MARU_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (MARU_TEST_SEED)`);
  const random = randomOf(seed);
  for (let run = 0; run < ROOMS; run++) {
    const room = await publicRoom(log);
    let head = 0;
    const messages: number[] = [];
    let seen: Awaited<ReturnType<typeof copy>> | undefined;
    for (let number = 0; number < ACTS; number++) {
      const userId = USERS[random(USERS.length)] ?? '';
      const by = { userId, userName: userId, clientMsgId: `id-${number}`, isAdmin: true, mayStore: true };
      const change: Change =
        number < 3
          ? { type: 'send', text: 'first', thread: undefined, mentions: undefined }
          : changeOf(random, messages, number);
      const result = await log.change({ ...by, room, change });
      if (result.outcome !== 'stored') continue;
      head = result.seq;
      if (change.type === 'send') messages.push(head);
      if (random(20) === 0) seen = await copy(room, seen, 1 + random(30));
    }
    do seen = await copy(room, seen, 1 + random(60));
    while (seen.position < head);
    console.log(
      (await hotEntries(room, 'a'))
        .map((e) => e.tail)
        .filter((t) => /"reactions"|"replies"|"pinned"|"edited"|"deleted"/.test(t)).length,
      Math.max(...(await hotEntries(room, 'a')).map((e) => Number(/count":(\d+)/.exec(e.tail)?.[1] ?? 0))),
    );
    for (const reader of ['a', 'x/"y']) {
      assert.deepEqual(await archivedEntries(room, reader), await hotEntries(room, reader));
    }
  }
});
