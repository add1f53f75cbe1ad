/**
 * All entries of a room as lines of JSON, after a header: first those in the archive, then those
 * that only the hot log has. They are in their original form. Deleted texts are removed.
 */
import { type Archive, readArchivedRoom } from '@maru/archive-db';
import type { RedisStore } from '@maru/redis-store';
import { roomErasedKey, roomLogKey, roomMetaKey, roomRolesKey } from './keys.ts';
import { FORMAT, type Header } from './line-schemas.ts';

const PAGE_ENTRIES = 500;

interface Row {
  seq: number;
  ts: number;
  head: string;
  tail: string;
}

export class ExportRefused extends Error {}

/** Yields some lines at a time. Throws `ExportRefused` if the room does not exist. */
export async function* exportRoom(options: {
  archive: Archive;
  store: RedisStore;
  room: string;
}): AsyncGenerator<{ text: string; entries: number }> {
  const { archive, store, room } = options;
  const known = await archive.read((tx) => readArchivedRoom(tx, room));
  const header = await headerOf(store, room);
  if (known === undefined && header === undefined) throw new ExportRefused('there is no such room');
  yield { text: `${JSON.stringify(header ?? { format: FORMAT, room, roles: {} })}\n`, entries: 0 };

  let after = (known?.first ?? 1) - 1;
  for (let page: Row[] = []; ; ) {
    page = await archive.read((tx) =>
      tx.query<Row>('SELECT seq, ts, head, tail FROM entries WHERE room = $1 AND seq > $2 ORDER BY seq LIMIT $3', [
        ...[room, after],
        PAGE_ENTRIES,
      ]),
    );
    if (page.length === 0) break;
    yield toLines(page, after);
    after = page.at(-1)?.seq ?? after;
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

/** Erased entries are in a hash beside the stream. */
async function readHot(store: RedisStore, room: string, after: number): Promise<Row[]> {
  const key = roomLogKey(room);
  const stream = await store.at(key, (redis) => redis.xrange(key, `${after + 1}-0`, '+', 'COUNT', PAGE_ENTRIES));
  const rows = new Map(
    stream.map(([id, [, , , , , ts, , head = '', , tail = '']]) => {
      const seq = Number.parseInt(id, 10);
      return [seq, { seq, ts: Number(ts), head, tail }];
    }),
  );
  const last = Math.max(after, ...rows.keys());
  const missing = Array.from({ length: last - after }, (_, index) => after + 1 + index).filter((seq) => !rows.has(seq));
  if (missing.length > 0) {
    const erasedKey = roomErasedKey(room);
    const packed = await store.at(erasedKey, (redis) => redis.hmget(erasedKey, ...missing.map(String)));
    for (const [index, value] of packed.entries()) {
      const [, , ts, , head = '', tail = ''] = value?.split('\n') ?? [];
      const seq = missing[index] as number;
      if (value != null) rows.set(seq, { seq, ts: Number(ts), head, tail });
    }
  }
  return [...rows.values()].sort((a, b) => a.seq - b.seq);
}
