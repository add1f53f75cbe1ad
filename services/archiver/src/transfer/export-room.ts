/**
 * All entries of a room as lines of JSON, after a header: first those in the archive, then those
 * that only the hot log has. They are in their original form. Deleted texts are removed.
 */
import { type Archive, epochNumber, readArchivedRoom, type Tx } from '@maru/archive-db';
import type { RedisStore } from '@maru/redis-store';
import { commonOf, ExportRefused, followDeletions, type Row, readHot, readHotRoom } from './hot-room.ts';
import { roomMetaKey, roomRolesKey } from './keys.ts';
import { FORMAT, type Header } from './line-schemas.ts';

const PAGE_ENTRIES = 500;

/** Gives lines, some at a time. Throws `ExportRefused` if the room does not exist. */
export async function* exportRoom(options: {
  archive: Archive;
  store: RedisStore;
  room: string;
}): AsyncGenerator<{ text: string; entries: number }> {
  const { archive, store, room } = options;
  const header = await headerOf(store, room);
  const known = await knownOf(archive, store, room);
  if (known === undefined && header === undefined) throw new ExportRefused('there is no such room');
  yield { text: `${JSON.stringify(header ?? { format: FORMAT, room, roles: {} })}\n`, entries: 0 };

  let after = (known?.first ?? 1) - 1;
  const asNow = followDeletions(store, room);
  for (;;) {
    const { rows, read } = await archive.read((tx) => readPage(tx, room, after, known?.last ?? 0));
    if (rows.length === 0 || read === undefined) break;
    // After the archive: it has all deletions that are not found now.
    yield toLines(await asNow(rows, read), after);
    after = rows.at(-1)?.seq ?? after;
  }
  // The hot log has everything that the archive lacks, unless it was trimmed without an archive.
  for (let isFirst = known === undefined; ; isFirst = false) {
    const page = await readHot(store, room, after);
    if (page.length === 0) return;
    if (isFirst) after = (page[0] as Row).seq - 1;
    yield toLines(page, after);
    after = page.at(-1)?.seq ?? after;
  }
}

/** Which entries to take from the archive. Undefined: none. */
async function knownOf(archive: Archive, store: RedisStore, room: string) {
  const known = await archive.read((tx) => readArchivedRoom(tx, room));
  const hot = await readHotRoom(store, room);
  // The archiver has yet to remove what it has of a deleted room.
  if (known === undefined || hot?.isDeleted || epochNumber(known.epoch) < (hot?.cleared ?? 0)) return undefined;
  const isSame = hot === undefined || hot.epoch === known.epoch;
  return { first: known.first, last: isSame ? Number.MAX_SAFE_INTEGER : commonOf(hot, known) };
}

async function readPage(tx: Tx, room: string, after: number, last: number) {
  const rows = await tx.query<Row>(
    'SELECT seq, ts, head, tail FROM entries WHERE room = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4',
    [room, after, last, PAGE_ENTRIES],
  );
  return { rows, read: await readArchivedRoom(tx, room) };
}

function toLines(rows: Row[], after: number) {
  for (const [index, { seq }] of rows.entries())
    if (seq !== after + 1 + index) throw new Error(`the entry ${after + 1 + index} is missing`);
  return { text: rows.map(lineOf).join(''), entries: rows.length };
}

const lineOf = ({ seq, ts, head, tail }: Row): string => `{"seq":${seq},"ts":${ts},${head},${tail}}\n`;

async function headerOf(store: RedisStore, room: string): Promise<Header | undefined> {
  const key = roomMetaKey(room);
  const meta = await store.at(key, (redis) => redis.hgetall(key));
  if (meta.epoch === undefined || meta.deleted !== undefined) return undefined;
  const rolesKey = roomRolesKey(room);
  const roles = await store.at(rolesKey, (redis) => redis.hgetall(rolesKey));
  return {
    format: FORMAT,
    room,
    ...(meta.title ? { title: meta.title } : {}),
    ...(meta.topic ? { topic: meta.topic } : {}),
    ...(meta.readOnly ? { readOnly: true } : {}),
    ...(meta.slowModeS ? { slowModeS: Number(meta.slowModeS) } : {}),
    roles: roles as Header['roles'],
  };
}
