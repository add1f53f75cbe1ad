/** Runs erasure jobs, one at a time. All gateways do this, and each job is held by one of them. */
import { randomBytes } from 'node:crypto';
import type { Job, Jobs } from '@maru/archive-db';
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import type { Progress, Save } from './erase-user.ts';

export interface ErasureWorker {
  start(ticker: Ticker): void;
  /** A job was opened. */
  wake(): void;
  /** Resolves when the worker holds no job. */
  stop(): Promise<void>;
}

/** How often to look for a job. */
const POLL_MS = 5_000;
/** Wait before a failed job is tried again. */
const RETRY_MS = 10_000;

export function createErasureWorker(options: {
  node: string;
  jobs: Pick<Jobs, 'lease' | 'save' | 'release' | 'finish'>;
  erase: (job: Job<Progress>, control: { save: Save; signal: AbortSignal }) => Promise<Progress>;
  logger: Logger;
}): ErasureWorker {
  const { jobs, erase, logger } = options;
  // A restarted node is a different worker: it waits until the lease of the earlier one ends.
  const worker = `${options.node} ${randomBytes(6).toString('hex')}`;
  const stopping = new AbortController();
  let leave: (() => void) | undefined;
  let work: Promise<void> | undefined;

  const runOne = async (): Promise<boolean> => {
    const job = (await jobs.lease(worker)) as Job<Progress> | undefined;
    if (job === undefined) return false;
    const save: Save = async (progress) => {
      if (!(await jobs.save(worker, job.id, progress))) throw new Error('another gateway holds the job');
    };
    try {
      const progress = await erase(job, { save, signal: stopping.signal });
      await jobs.finish(worker, job.id, progress);
      logger.info({ job: job.id, changes: progress.changes ?? 0 }, 'a user was erased');
      return true;
    } catch (error) {
      const stopped = stopping.signal.aborted;
      if (!stopped) logger.warn({ job: job.id, reason: String(error) }, 'an erasure is tried again later');
      await jobs.release(worker, job.id, stopped ? 0 : RETRY_MS);
      return false;
    }
  };

  const wake = (): void => {
    if (stopping.signal.aborted) return;
    work ??= (async () => {
      while (await runOne());
    })()
      // Without PostgreSQL there is nothing to do. Readers of the archive report its failure.
      .catch((error: unknown) => logger.debug({ reason: String(error) }, 'jobs could not be read'))
      .finally(() => {
        work = undefined;
      });
  };

  return {
    start(ticker) {
      leave = ticker.join(POLL_MS, wake);
    },
    wake,
    async stop() {
      leave?.();
      stopping.abort();
      await work;
    },
  };
}
