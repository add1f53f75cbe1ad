/**
 * Jobs that continue after a restart. A worker leases a job, saves its progress, and holds it until
 * the lease ends. Then another worker may take it, so the work itself MUST be idempotent. All times
 * are of PostgreSQL's clock. Every call rejects with ArchiveUnavailable.
 */
import type { Archive, Tx } from './archive.ts';

export interface Job<Progress = unknown> {
  id: string;
  kind: 'erase';
  userId: string;
  userName: string;
  /** The job affects entries up to this time, in milliseconds of the store's clock. */
  untilTs: number;
  state: 'waiting' | 'running' | 'done';
  /** `{}` at first. */
  progress: Progress;
  createdTs: number;
  /** Undefined until it is done. */
  finishedTs: number | undefined;
}

export type NewJob = Pick<Job, 'id' | 'kind' | 'userId' | 'userName' | 'untilTs'>;

export interface Jobs {
  /** Adds the job. If one of this kind and user is open, it returns that one. */
  open(job: NewJob): Promise<Job>;
  /** Undefined if it is not the user's. */
  find(id: string, userId: string): Promise<Job | undefined>;
  /** The oldest open job that no other worker holds, now leased to this one. */
  lease(worker: string): Promise<Job | undefined>;
  /** Saves the progress and extends the lease. False if another worker may hold the job now. */
  save(worker: string, id: string, progress: object): Promise<boolean>;
  /** Gives up the job. Another worker may take it after the delay. */
  release(worker: string, id: string, delayMs: number): Promise<void>;
  finish(worker: string, id: string, progress: object): Promise<boolean>;
}

/** A worker that does not extend its lease for this long counts as dead. */
const LEASE_S = 30;
/** How long a finished job can be looked up. */
const KEPT_DAYS = 30;

const COLUMNS = `id, kind, user_id, user_name, until_ts, state, progress,
  (extract(epoch FROM created_at) * 1000)::bigint AS created_ts,
  (extract(epoch FROM finished_at) * 1000)::bigint AS finished_ts`;
const LEASED_UNTIL = `now() + interval '${LEASE_S} seconds'`;
const HELD = `id = $1 AND worker = $2 AND state = 'running'`;

interface JobRow {
  id: string;
  kind: 'erase';
  user_id: string;
  user_name: string;
  until_ts: number;
  state: Job['state'];
  progress: unknown;
  created_ts: number;
  finished_ts: number | null;
}

export function createJobs(archive: Archive): Jobs {
  const one = async (sql: string, values: unknown[]): Promise<Job | undefined> =>
    jobOf((await archive.write((tx) => tx.query<JobRow>(sql, values)))[0]);

  return {
    open: (job) => archive.write((tx) => openJob(tx, job)),
    find: (id, userId) => one(`SELECT ${COLUMNS} FROM jobs WHERE id = $1 AND user_id = $2`, [id, userId]),
    lease: (worker) =>
      one(
        `UPDATE jobs SET state = 'running', worker = $1, leased_until = ${LEASED_UNTIL}
        WHERE id = (
          SELECT id FROM jobs WHERE state <> 'done' AND (leased_until IS NULL OR leased_until < now())
          ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING ${COLUMNS}`,
        [worker],
      ),
    async save(worker, id, progress) {
      const sql = `UPDATE jobs SET progress = $3, leased_until = ${LEASED_UNTIL} WHERE ${HELD} RETURNING ${COLUMNS}`;
      return (await one(sql, [id, worker, JSON.stringify(progress)])) !== undefined;
    },
    async release(worker, id, delayMs) {
      const sql = `UPDATE jobs SET worker = NULL, leased_until = now() + $3 * interval '1 millisecond' WHERE ${HELD}`;
      await archive.write((tx) => tx.query(sql, [id, worker, delayMs]));
    },
    async finish(worker, id, progress) {
      const sql = `UPDATE jobs SET state = 'done', progress = $3, worker = NULL, leased_until = NULL, finished_at = now()
        WHERE ${HELD} RETURNING ${COLUMNS}`;
      return (await one(sql, [id, worker, JSON.stringify(progress)])) !== undefined;
    },
  };
}

async function openJob(tx: Tx, { id, kind, userId, userName, untilTs }: NewJob): Promise<Job> {
  await tx.query(`DELETE FROM jobs WHERE state = 'done' AND finished_at < now() - interval '${KEPT_DAYS} days'`);
  // The update changes nothing, but locks the row and returns it.
  const rows = await tx.query<JobRow>(
    `INSERT INTO jobs (id, kind, user_id, user_name, until_ts) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id, kind) WHERE state <> 'done' DO UPDATE SET user_id = excluded.user_id
    RETURNING ${COLUMNS}`,
    [id, kind, userId, userName, untilTs],
  );
  return jobOf(rows[0]) as Job;
}

function jobOf(row: JobRow | undefined): Job | undefined {
  if (row === undefined) return undefined;
  return {
    id: row.id,
    kind: row.kind,
    userId: row.user_id,
    userName: row.user_name,
    untilTs: row.until_ts,
    state: row.state,
    progress: row.progress,
    createdTs: row.created_ts,
    finishedTs: row.finished_ts ?? undefined,
  };
}
