/** Room logs in a real Redis, an archive in a real PostgreSQL, and the steps of an archiver. */
import {
  type Archive,
  archiveBatch,
  migrateArchive,
  openArchive,
  openReplicas,
  readArchivedRoom,
} from '@maru/archive-db';
import { startTestPostgres } from '@maru/archive-db/testing';
import { singleStore } from '@maru/redis-store';
import { archiveTrimKey, roomMetaKey } from '../../keys.ts';
import { createArchivedLog } from '../../log/archived-log.ts';
import type { StoredEntry } from '../../log/entry-codec.ts';
import type { HistoryStore } from '../../log/history-store.ts';
import type { HotLog } from '../../log/hot-log.ts';
import type { RoomLog } from '../../log/room-log.ts';
import { RETENTION, startLogRig } from '../../log/testing/log-rig.ts';
import { trimQueued } from '../../log/trim-queue.ts';
import { createPostgresHistory } from '../postgres-history.ts';

export type ArchivedRig = Awaited<ReturnType<typeof startArchivedRig>>;

const KEPT = { ...RETENTION, archive: true };
const now = () => performance.now();

/** Long, because the machine may be slow. */
const DEADLINE_MS = 10_000;

export interface NodeOptions {
  deadlineMs?: number;
  history?: (store: HistoryStore) => HistoryStore;
  hot?: (log: HotLog) => HotLog;
}

export async function startArchivedRig({ kept = 5 } = {}) {
  const [redis, postgres] = await Promise.all([startLogRig(), startTestPostgres()]);
  await migrateArchive({ url: postgres.url, log: () => {} });
  const options = { poolMax: 4, deadlineMs: DEADLINE_MS, onError: () => {} };
  const archive = openArchive({ ...options, url: postgres.url });
  const replicas = openReplicas({ ...options, primary: archive, replicaUrl: undefined });
  const retention = { ...KEPT, entriesMin: kept, entriesMax: kept };
  const hot = await redis.node(retention);

  return {
    admin: redis.admin,
    archive,
    postgres,
    hot,
    /** Creates another node. Its calls pass through the two functions. */
    async node({
      deadlineMs = DEADLINE_MS,
      history = (store) => store,
      hot = (log) => log,
    }: NodeOptions = {}): Promise<RoomLog> {
      const store = history(createPostgresHistory({ archive: replicas, now }));
      return createArchivedLog({ log: hot(await redis.node(retention)), history: store, deadlineMs, now });
    },
    /** Copies at most `count` entries, and returns the archive's position. */
    copy: (room: string, count: number) => copy(archive, hot, room, count, redis.admin),
    async trim(room: string): Promise<void> {
      await redis.admin.sadd(archiveTrimKey(), room);
      await trimQueued(singleStore(redis.admin), retention);
    },
    async stop() {
      await archive.close();
      await Promise.all([redis.stop(), postgres.stop()]);
    },
  };
}

async function copy(
  archive: Archive,
  hot: RoomLog,
  room: string,
  count: number,
  redis: { hset(key: string, fields: object): Promise<unknown> },
): Promise<number> {
  const row = await archive.read((tx) => readArchivedRoom(tx, room));
  const { epoch, base } = await hot.read(room, 'node', { mode: 'none' });
  // After a rollback, the archive has entries that the log no longer has.
  const seq = row === undefined || row.epoch === epoch ? (row?.position ?? 0) : Math.min(row.position, base);
  const { first, entries } = await hot.read(room, 'node', { mode: 'appended', seq, limit: count });
  const batch = { room, seen: row?.epoch, epoch, base, hotFirst: first, private: false, cleared: 0 };
  const result = await archive.write((tx) => archiveBatch(tx, { ...batch, entries: entries.map(toLogEntry) }));
  await redis.hset(roomMetaKey(room), { archived: result.position, archivedFrom: result.first });
  return result.position;
}

function toLogEntry({ seq, ts, head, tail }: StoredEntry) {
  const { n, type, from } = JSON.parse(`{${head}}`) as { n: number; type: string; from: { id: string } };
  return { seq, ts, n, author: from.id, isMessage: type === 'text', head, tail };
}
