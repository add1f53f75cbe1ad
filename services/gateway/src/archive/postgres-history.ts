/** The archive in PostgreSQL. */
import type { Replicas } from '@maru/archive-db';
import { archiveUnavailable, type HistoryStore } from '../log/history-store.ts';
import { readArchivedPage } from './archive-page.ts';

export function createPostgresHistory(options: {
  archive: Pick<Replicas, 'read'>;
  /** `outcome` is `ok` or `unavailable`. */
  onCall?: (outcome: string, seconds: number) => void;
  now: () => number;
}): HistoryStore {
  const { archive, onCall, now } = options;
  return {
    async readPage(query, { epoch, atLeast, changes, deadlineMs }) {
      const startedAt = now();
      let outcome = 'unavailable';
      try {
        if (deadlineMs <= 0) throw new Error('no time is left');
        const need = { room: query.room, epoch, position: atLeast };
        const page = await archive.read((tx) => readArchivedPage(tx, query, changes), { need, deadlineMs });
        // The archiver has yet to see the new epoch.
        if (page === undefined || page.epoch !== epoch || page.position < atLeast)
          throw new Error('the archive is behind');
        outcome = 'ok';
        return page;
      } catch (error) {
        throw archiveUnavailable(error);
      } finally {
        onCall?.(outcome, (now() - startedAt) / 1_000);
      }
    },
  };
}
