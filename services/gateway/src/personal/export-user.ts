/** Exports all entries that a user wrote, as lines of JSON ordered by time. */
import { type Archive, type AuthoredAt, readAuthored } from '@maru/archive-db';
import { MaruError } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import { archiveClaimsKey, archiveDirtyKey } from '../keys.ts';
import { bodyOf, entryJson, type StoredEntry } from '../log/entry-codec.ts';
import { readUnarchived, TooFarBehind } from './unarchived.ts';

const PAGE_ENTRIES = 500;
/** Maximum rooms whose newest entries the archive may lack, and the user's entries in them. */
const ROOMS_MAX = 1_000;
const FRESH_MAX = 1_000;

type Line = AuthoredAt & StoredEntry & { epoch: string };

/** Yields one page at a time. Rejects with MaruError or ArchiveUnavailable. */
export async function* exportUser(
  { archive, store }: { archive: Archive; store: RedisStore },
  userId: string,
  cursor: string | undefined,
): AsyncGenerator<string> {
  let after = cursor === undefined ? undefined : positionOf(cursor);
  // Read this before the archive. An entry that is archived in between is then found twice, not
  // missed.
  const fresh = await readFresh(store, userId);
  let entries = 0;
  for (let isLast = false; !isLast; ) {
    const page: Line[] = await archive.read((tx) => readAuthored(tx, { userId, after, limit: PAGE_ENTRIES }));
    const end = page.at(-1);
    isLast = end === undefined || page.length < PAGE_ENTRIES;
    for (const { room, seq } of page) fresh.delete(`${seq} ${room}`);
    for (const [key, entry] of fresh) {
      const isDue = isLast || (end !== undefined && compare(entry, end) < 0);
      if (isDue && (after === undefined || compare(entry, after) > 0)) page.push(entry);
      if (isDue) fresh.delete(key);
    }
    page.sort(compare);
    entries += page.length;
    after = page.at(-1) ?? after;
    if (page.length > 0) yield page.map(lineOf).join('');
  }
  yield `${JSON.stringify({ end: true, entries })}\n`;
}

/** The order of the database: by bytes, because room ids are ASCII. */
function compare(a: AuthoredAt, b: AuthoredAt): number {
  if (a.ts !== b.ts) return a.ts - b.ts;
  if (a.room !== b.room) return a.room < b.room ? -1 : 1;
  return a.seq - b.seq;
}

const lineOf = (line: Line): string => {
  const { room, epoch, seq, ts } = line;
  return `${entryJson(room, epoch, seq, ts, bodyOf(line).slice(0, -1))},"cursor":"${ts}-${seq}-${room}"}\n`;
};

/** The schema of the call has validated the cursor. */
function positionOf(cursor: string): AuthoredAt {
  const [, ts, seq, room = ''] = /^(\d+)-(\d+)-(.+)$/.exec(cursor) ?? [];
  return { ts: Number(ts), seq: Number(seq), room };
}

/** The user's entries that the archive does not have yet, by `seq room`. */
async function readFresh(store: RedisStore, userId: string): Promise<Map<string, Line>> {
  const key = archiveDirtyKey();
  const found = new Map<string, Line>();
  try {
    const waiting = await store.at(key, (redis) => redis.zcard(key));
    if (waiting > ROOMS_MAX) throw new TooFarBehind();
    // Read both in one command, because an archiver moves rooms from one to the other.
    const rooms = await store.at(key, (redis) => redis.zunion(2, key, archiveClaimsKey()));
    for await (const page of readUnarchived(store, rooms)) {
      for (const entry of page) if (entry.author === userId) found.set(`${entry.seq} ${entry.room}`, entry);
      if (found.size > FRESH_MAX) throw new TooFarBehind();
    }
  } catch (error) {
    if (!(error instanceof TooFarBehind)) throw error;
    throw new MaruError('unavailable', 'the archive is behind; try again later', { retryAfterMs: 60_000 });
  }
  return found;
}
