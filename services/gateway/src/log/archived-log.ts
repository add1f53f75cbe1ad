/** The log of each room from its first entry on: the hot log, and the archive behind it. */
import { createChange } from './archived-changes.ts';
import { type ArchiveOptions, createReadEntries } from './archived-entries.ts';
import { createReadMessages } from './archived-messages.ts';
import type { RoomLog } from './room-log.ts';

export type { ArchiveOptions };

/**
 * What the hot log has whole is read as without an archive. While the archive is ill, a page that
 * needs it is `unavailable`, unless a part of it is in the hot log: then that part is given, and
 * there is more.
 */
export const createArchivedLog = (options: ArchiveOptions): RoomLog => ({
  append: (request) => options.log.append(request),
  act: (request) => options.log.act(request),
  change: createChange(options),
  readMessages: createReadMessages(options),
  read: createReadEntries(options),
});
