/**
 * Erases everything that a user wrote before the job started. Messages are deleted by normal
 * entries of their author, so every node, client and index drops them. Each step can be repeated:
 * the `clientMsgId` of an entry is derived from the job and the `seq` of its target.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Archive,
  type AuthoredAt,
  type AuthoredEntry,
  countAuthored,
  eraseAuthored,
  type Job,
  readAuthored,
} from '@maru/archive-db';
import { MaruError } from '@maru/protocol';
import { concurrently } from '@maru/service-kit';
import type { Change, ChangeRequest, ChangeResult } from '../log/room-log.ts';
import type { UnarchivedEntry } from './unarchived.ts';

export interface Progress {
  /** Undefined means the first step. */
  step?: 'messages' | 'tables' | 'rooms';
  after?: AuthoredAt;
  /** Number of stored entries. */
  changes?: number;
}

export interface EraseDeps {
  archive: Archive;
  change: (request: ChangeRequest) => Promise<ChangeResult>;
  /** Whether the archive has all entries that match `isSought`, in all rooms. */
  isArchived: (isSought: (entry: UnarchivedEntry) => boolean) => Promise<boolean>;
  /** Removes the user from rooms and lists. May be repeated. */
  leaveRooms: (job: Job) => Promise<void>;
}

/** Throws if the lease is lost. */
export type Save = (progress: Progress) => Promise<void>;

/**
 * Entries of a page. Each page takes at least this long, so a job writes at most 100 entries a
 * second.
 */
const PAGE_ENTRIES = 50;
const PAGE_MS = 500;
/** Maximum concurrent changes. Each may read an archived message first. */
const AT_ONCE = 4;
/** Poll interval while the archive catches up. It grows. */
const POLL_MS_MIN = 500;
const POLL_MS_MAX = 10_000;
/** Rows that one transaction erases. */
const ROWS_AT_ONCE = 500;

export async function eraseUser(
  deps: EraseDeps,
  job: Job<Progress>,
  { save, signal }: { save: Save; signal: AbortSignal },
): Promise<Progress> {
  const { userId, untilTs } = job;
  let progress = job.progress;
  const advance = async (next: Progress) => {
    progress = { ...progress, ...next };
    await save(progress);
    signal.throwIfAborted();
  };
  const untilArchived = async (isSought: (entry: UnarchivedEntry) => boolean) => {
    for (let pauseMs = POLL_MS_MIN; !(await deps.isArchived(isSought)); pauseMs = Math.min(2 * pauseMs, POLL_MS_MAX)) {
      await advance({});
      await sleep(pauseMs, undefined, { signal });
    }
  };
  const isOld = ({ author, ts }: UnarchivedEntry) => author === userId && ts <= untilTs;

  if (progress.step === undefined) {
    // Only the archive knows in which rooms a user wrote.
    await untilArchived(isOld);
    await advance({ step: 'messages' });
  }
  while (progress.step === 'messages') {
    const pageEnds = sleep(PAGE_MS, undefined, { signal });
    // It rejects when the signal aborts, which the next step reports.
    pageEnds.catch(() => {});
    const page = await deps.archive.read((tx) =>
      readAuthored(tx, { userId, untilTs, after: progress.after, limit: PAGE_ENTRIES }),
    );
    let stored = 0;
    await concurrently(page, AT_ONCE, async (entry) => {
      if (await takeBack(deps, job, entry)) stored++;
    });
    const changes = (progress.changes ?? 0) + stored;
    const last = page.at(-1);
    if (last === undefined) await advance({ step: 'tables' });
    else await advance({ after: { ts: last.ts, room: last.room, seq: last.seq }, changes });
    if (stored > 0) await pageEnds;
  }
  if (progress.step === 'tables') {
    // An archiver may have read a text before it was deleted, and may write it afterwards.
    const prefix = idOf(job, '');
    await untilArchived((entry) => isOld(entry) || (entry.author === userId && entry.clientMsgId.startsWith(prefix)));
    const query = { userId, untilTs, limit: ROWS_AT_ONCE };
    while ((await deps.archive.write((tx) => eraseAuthored(tx, query))) > 0) await advance({});
    // A worker that died may have stored entries without counting them.
    const stored = { userId, afterTs: untilTs, idPrefix: prefix };
    const changes = await deps.archive.read((tx) => countAuthored(tx, stored));
    await advance({ step: 'rooms', changes });
  }
  await deps.leaveRooms(job);
  return progress;
}

const idOf = ({ id }: Job, what: number | string): string => `erase-${id}-${what}`;

/** Deletes a message, or removes a reaction. Returns whether an entry was stored. */
async function takeBack({ change }: EraseDeps, job: Job, entry: AuthoredEntry): Promise<boolean> {
  const { room, seq } = entry;
  const undo = undoOf(entry);
  if (undo === undefined) return false;
  const request = { userId: job.userId, userName: job.userName, isAdmin: false, mayStore: true, isErasure: true };
  try {
    const { outcome } = await change({ ...request, room, clientMsgId: idOf(job, seq), change: undo });
    return outcome === 'stored' || outcome === 'duplicate';
  } catch (error) {
    // The room was deleted.
    if (error instanceof MaruError && error.code === 'not_found') return false;
    throw error;
  }
}

/** Undefined for entries that stay, such as acts, and for entries without text. */
function undoOf({ isMessage, seq, head, tail }: AuthoredEntry): Change | undefined {
  if (isMessage) return tail.endsWith('"erased":true') ? undefined : { type: 'delete', seq, reason: undefined };
  if (!head.includes('"type":"message.react",')) return undefined;
  const { data } = JSON.parse(`{${tail}}`) as { data: { seq: number; emoji: string; active: boolean } };
  return data.active ? { type: 'react', seq: data.seq, emoji: data.emoji, active: false } : undefined;
}
