/** The log of each room since its first entry: the hot log and the archive. */
import { createChange } from './archived-changes.ts';
import { type ArchiveOptions, createReadEntries } from './archived-entries.ts';
import { createReadMessages } from './archived-messages.ts';
import type { RoomLog } from './room-log.ts';

export type { ArchiveOptions };

/**
 * If the hot log has the whole page, the archive is not read. While the archive is unhealthy, a
 * page that needs it is `unavailable`. If the hot log has a part of the page, that part is returned
 * with `hasMore`.
 */
export const createArchivedLog = (options: ArchiveOptions): RoomLog => ({
  append: (request) => options.log.append(request),
  act: (request) => options.log.act(request),
  change: createChange(options),
  readMessages: createReadMessages(options),
  read: createReadEntries(options),
});
