/**
 * Reads from a replica if one is configured. The primary answers instead if the replica fails, or
 * if it has not yet received the entries that the caller needs.
 */
import { type Archive, type ArchiveOptions, openArchive, type Tx } from './archive.ts';
import { ArchiveUnavailable } from './unavailable.ts';
import { readArchivedRoom } from './writer.ts';

/** The archive's position in a room when the hot log was read. A replica behind it is too old. */
export interface Freshness {
  room: string;
  /** Undefined allows any epoch. */
  epoch?: string | undefined;
  position: number;
}

export interface ReadOptions {
  need?: Freshness;
  deadlineMs?: number;
}

export interface Replicas {
  /** Like `Archive.read`. `fn` may run twice: on the replica and then on the primary. */
  read<T>(fn: (tx: Tx) => Promise<T>, options?: ReadOptions): Promise<T>;
  /** Reads that the replica answered, and those that went to the primary instead. */
  counts(): { replica: number; stale: number; failed: number };
  /** Closes the connections to the replica, not those to the primary. */
  close(): Promise<void>;
}

export interface ReplicasOptions extends Omit<ArchiveOptions, 'url'> {
  primary: Archive;
  /** Undefined if there is no replica. Then the primary answers every read. */
  replicaUrl: string | undefined;
}

/** After a failure the primary answers for this time. */
const PAUSE_MS = 5_000;
/**
 * Fraction of the deadline for the replica, so the primary still has time if the replica does not
 * answer.
 */
const REPLICA_SHARE = 0.5;

class Stale extends Error {}

export function openReplicas({ primary, replicaUrl, ...options }: ReplicasOptions): Replicas {
  const replica = replicaUrl === undefined ? undefined : openArchive({ ...options, url: replicaUrl });
  const counts = { replica: 0, stale: 0, failed: 0 };
  let pausedUntilMs = 0;

  const tryReplica = async <T>(
    from: Archive,
    fn: (tx: Tx) => Promise<T>,
    need: Freshness | undefined,
    endMs: number,
  ) => {
    const deadlineMs = Math.max(1, Math.round((endMs - performance.now()) * REPLICA_SHARE));
    const fresh = async (tx: Tx) => {
      if (need !== undefined && !(await isFresh(tx, need))) throw new Stale();
      return fn(tx);
    };
    const value = await from.read(fresh, { deadlineMs });
    counts.replica += 1;
    return value;
  };

  return {
    async read(fn, { need, deadlineMs = options.deadlineMs } = {}) {
      const endMs = performance.now() + deadlineMs;
      if (replica !== undefined && performance.now() >= pausedUntilMs) {
        try {
          return await tryReplica(replica, fn, need, endMs);
        } catch (error) {
          if (error instanceof Stale) counts.stale += 1;
          else if (error instanceof ArchiveUnavailable) {
            counts.failed += 1;
            pausedUntilMs = performance.now() + PAUSE_MS;
            options.onError(error);
          } else throw error;
        }
      }
      return primary.read(fn, { deadlineMs: Math.max(1, Math.round(endMs - performance.now())) });
    },
    counts: () => ({ ...counts }),
    close: async () => replica?.close(),
  };
}

async function isFresh(tx: Tx, { room, epoch, position }: Freshness): Promise<boolean> {
  const row = await readArchivedRoom(tx, room);
  if (row === undefined) return position === 0;
  return row.position >= position && (epoch === undefined || row.epoch === epoch);
}
