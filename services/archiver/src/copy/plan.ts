/** Decides what to do with a room. Pure: compares the archive's state with the hot log. */
import { epochNumber } from '@maru/archive-db';
import type { KnownRoom } from '../archive/room-archive.ts';
import type { HotLog } from '../store/room-store.ts';

export type Plan =
  /**
   * There is nothing to copy, an import does it, or the room is gone from Redis. A lost room
   * deletes nothing.
   */
  | { do: 'nothing' }
  /** The room was deleted, so its rows are removed. */
  | { do: 'clear' }
  /** There is a new epoch, and the archive has entries that the hot log lost. */
  | { do: 'roll back' }
  /** The hot log contradicts the archive without a newer epoch, so it may be the older one. */
  | { do: 'wait' }
  | { do: 'append' };

export function planOf(known: KnownRoom | undefined, hot: HotLog | undefined): Plan {
  if (hot === undefined || hot.importing) return { do: 'nothing' };
  if (known !== undefined && epochNumber(known.epoch) < hot.cleared) return { do: 'clear' };
  if (hot.deleted || (known === undefined && hot.head === 0)) return { do: 'nothing' };
  if (known === undefined || agree(known, hot)) return { do: 'append' };
  return supersedes(hot, known) ? { do: 'roll back' } : { do: 'wait' };
}

/** Entries above this seq differ. */
export const commonAtMost = (known: KnownRoom, hot: HotLog): number =>
  Math.min(known.position, hot.head, known.epoch === hot.epoch ? hot.head : hot.base);

function agree(known: KnownRoom, hot: HotLog): boolean {
  if (commonAtMost(known, hot) < known.position) return false;
  return hot.afterTs === undefined || known.lastTs === undefined || hot.afterTs === known.lastTs;
}

/**
 * A higher epoch announces a rollback. A lower one comes from a former primary, or Redis lost all
 * data. In the second case, the hot log has newer entries.
 */
function supersedes(hot: HotLog, known: KnownRoom): boolean {
  if (hot.epoch === known.epoch) return false;
  if (epochNumber(hot.epoch) > epochNumber(known.epoch)) return true;
  return hot.headTs !== undefined && hot.headTs > (known.lastTs ?? 0);
}

/**
 * Entries that the archive once had and that neither has now, because an older copy of the archive
 * was restored. Entries that left the hot log before there was an archive do not count.
 */
export function gapOf(known: KnownRoom | undefined, hot: HotLog): number {
  const lostUpTo = known === undefined ? Math.min(hot.archived ?? 0, hot.first - 1) : hot.first - 1;
  return Math.max(0, lostUpTo - (known?.position ?? 0));
}
