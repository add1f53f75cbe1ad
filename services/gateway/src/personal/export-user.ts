/** All entries that a user wrote, as lines of JSON in the order of their time. */
import { type Archive, type AuthoredAt, readAuthored, readPositions } from '@maru/archive-db';
import { MaruError } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import { archiveClaimsKey, archiveDirtyKey } from '../keys.ts';
import { bodyOf, entryJson, type StoredEntry } from '../log/entry-codec.ts';
import { createDeletions } from './deletions.ts';
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
  // Read before the archive: an entry that is archived between the two reads is then in both.
  const fresh = await orTooFarBehind(readFresh(store, userId));
  const deletions = createDeletions(store);
  let entries = 0;
  for (let isLast = false; !isLast; ) {
    const { rows, known } = await archive.read(async (tx) => {
      const found = await readAuthored(tx, { userId, after, limit: PAGE_ENTRIES });
      const rooms = new Set([...found, ...fresh.values()].map(({ room }) => room));
      return { rows: found, known: await readPositions(tx, [...rooms]) };
    });
    const end = rows.at(-1);
    isLast = end === undefined || rows.length < PAGE_ENTRIES;
    const page = [...rows, ...takeDue(fresh, { rows, after, isLast })].sort(compare);
    // After the archive: it has all deletions that are not found now.
    const now = await orTooFarBehind(deletions.apply(page, known));
    entries += now.length;
    after = end ?? after;
    if (now.length > 0) yield now.map(lineOf).join('');
  }
  yield `${JSON.stringify({ end: true, entries })}\n`;
}

/** Those that belong to the page of the archive, and that it does not have. */
function takeDue(
  fresh: Map<string, Line>,
  { rows, after, isLast }: { rows: Line[]; after: AuthoredAt | undefined; isLast: boolean },
): Line[] {
  // After a rollback another entry may have the seq.
  for (const { room, seq, ts } of rows) if (fresh.get(`${seq} ${room}`)?.ts === ts) fresh.delete(`${seq} ${room}`);
  const end = rows.at(-1);
  const due: Line[] = [];
  for (const [key, entry] of fresh) {
    if (!isLast && (end === undefined || compare(entry, end) > 0)) continue;
    fresh.delete(key);
    if (after === undefined || compare(entry, after) > 0) due.push(entry);
  }
  return due;
}

/** In the order of the database: by bytes, since ids of rooms are ASCII. */
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
  const waiting = await store.at(key, (redis) => redis.zcard(key));
  if (waiting > ROOMS_MAX) throw new TooFarBehind();
  // Of one moment: an archiver moves rooms from one to the other.
  const rooms = await store.at(key, (redis) => redis.zunion(2, key, archiveClaimsKey()));
  for await (const page of readUnarchived(store, rooms)) {
    for (const entry of page) if (entry.author === userId) found.set(`${entry.seq} ${entry.room}`, entry);
    if (found.size > FRESH_MAX) throw new TooFarBehind();
  }
  return found;
}

const orTooFarBehind = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    if (!(error instanceof TooFarBehind)) throw error;
    throw new MaruError('unavailable', 'the archive is behind; try again later', { retryAfterMs: 60_000 });
  });
