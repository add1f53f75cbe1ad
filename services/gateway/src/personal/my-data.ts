/** Exports and erases everything that a user wrote. Both need the archive. */
import { randomBytes } from 'node:crypto';
import { type Archive, ArchiveUnavailable, type Job, type Jobs } from '@maru/archive-db';
import { MaruError, type UserRef } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import { unavailable } from '../unavailable.ts';
import type { Progress } from './erase-user.ts';
import { exportUser } from './export-user.ts';

/** Every call rejects with MaruError. */
export interface MyData {
  /**
   * Yields lines of JSON, one page at a time, after the cursor. A node runs one export for each
   * user.
   */
  export(userId: string, cursor: string | undefined): AsyncGenerator<string>;
  /** Opens a job, or returns the open one. */
  erase(user: UserRef): Promise<JobData>;
  /** Rejects `not_found` for the job of another user. */
  job(userId: string, id: string): Promise<JobData>;
}

export interface JobData {
  job: string;
  kind: Job['kind'];
  state: Job['state'];
  untilTs: number;
  createdTs: number;
  finishedTs?: number;
  changes: number;
}

/** Maximum concurrent exports of a node. */
const EXPORTS_MAX = 8;
const RETRY_MS = 5_000;

export function createMyData(options: {
  archive: Archive;
  jobs: Pick<Jobs, 'open' | 'find'>;
  store: RedisStore;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
  /** Called when a user requests an erasure. */
  onErasure: (userId: string) => void;
}): MyData {
  const { archive, jobs, store, storeNow, onErasure } = options;
  const exporting = new Set<string>();

  return {
    async *export(userId, cursor) {
      if (exporting.has(userId) || exporting.size >= EXPORTS_MAX)
        throw new MaruError('rate_limited', 'an export is running; try again later', { retryAfterMs: RETRY_MS });
      exporting.add(userId);
      try {
        yield* exportUser({ archive, store }, userId, cursor);
      } catch (error) {
        throw clientError(error);
      } finally {
        exporting.delete(userId);
      }
    },

    async erase({ id: userId, name }) {
      const id = randomBytes(12).toString('hex');
      const untilTs = Math.floor(storeNow());
      const job = await jobs.open({ id, kind: 'erase', userId, userName: name, untilTs }).catch((error: unknown) => {
        throw clientError(error);
      });
      onErasure(userId);
      return jobData(job);
    },

    async job(userId, id) {
      const job = await jobs.find(id, userId).catch((error: unknown) => {
        throw clientError(error);
      });
      if (job === undefined) throw new MaruError('not_found', 'there is no such job');
      return jobData(job);
    },
  };
}

/** Only the archive knows where a user wrote. */
export function myDataWithoutArchive(): MyData {
  const refuse = (): never => {
    throw new MaruError('unavailable', 'this cluster has no archive, so it cannot export or erase users', {
      retryAfterMs: 3_600_000,
    });
  };
  return {
    // biome-ignore lint/correctness/useYield: it refuses before the first page
    async *export() {
      refuse();
    },
    erase: async () => refuse(),
    job: async () => refuse(),
  };
}

const clientError = (error: unknown): MaruError =>
  error instanceof ArchiveUnavailable
    ? new MaruError('unavailable', 'the archive cannot answer now', { retryAfterMs: RETRY_MS, cause: error })
    : unavailable(error);

function jobData({ id, kind, state, untilTs, createdTs, finishedTs, progress }: Job): JobData {
  const times = { untilTs, createdTs, ...(finishedTs === undefined ? {} : { finishedTs }) };
  return { job: id, kind, state, ...times, changes: (progress as Progress).changes ?? 0 };
}
