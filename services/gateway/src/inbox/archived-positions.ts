/**
 * Read positions at entries that have left the hot log. The archive tells how many messages there
 * are up to such an entry, and the hot log then moves the position.
 *
 * While the archive does not answer, the move is `unavailable` and nothing is stored. An estimate
 * would stay: a position never goes back, so a later read of the same entry could not correct it.
 * Who reads old entries needs the archive anyway.
 */
import { archiveUnavailable, type HistoryStore, type PageQuery } from '../log/history-store.ts';
import type { ArchivedMove, HotReadState, Move, ReadState } from './read-state.ts';

/** Each other attempt means that the log was rolled back. */
const ATTEMPTS_MAX = 3;
/** A half of a page has one entry whatever its size, and no more is needed. */
const BYTES_MAX = 1;

export interface PositionOptions {
  history: HistoryStore;
  /** For all calls of the archive together. */
  deadlineMs: number;
  now: () => number;
}

const isDecided = (move: Move | ArchivedMove): move is Move => move.outcome !== 'archived';

export function withArchivedPositions(state: HotReadState, { history, deadlineMs, now }: PositionOptions): ReadState {
  return {
    ...state,
    async move(userId, room, seq, mayStore) {
      const endsAt = now() + deadlineMs;
      const request = { userId, room, seq, mayStore };
      let move = await state.moveHot(request, 'ask');
      for (let attempt = 0; attempt < ATTEMPTS_MAX && !isDecided(move); attempt++) {
        const { epoch, archived: atLeast } = move;
        const query = queryOf(room, seq);
        const page = await history.readPage(query, { epoch, atLeast, deadlineMs: endsAt - now() });
        move = await state.moveHot(request, { epoch, n: numberAt(seq, page) });
      }
      if (isDecided(move)) return move;
      throw archiveUnavailable(new Error('the log changes too fast'));
    },
  };
}

/** The entry itself, and the next one, in case the archive keeps it no more. */
const queryOf = (room: string, seq: number): PageQuery => ({
  ...{ room, reader: '', of: { kind: 'entries' }, below: seq + 1, bytesMax: BYTES_MAX },
  ...{ center: { seq }, older: 1, newer: 1 },
});

type Page = Awaited<ReturnType<HistoryStore['readPage']>>;

/** Messages up to `seq`. Those that are no longer kept all count as read. */
function numberAt(seq: number, { older, newer }: Page): number {
  const [entry] = older.entries;
  if (entry?.seq === seq) return entry.n;
  const [next] = newer.entries;
  if (next === undefined) throw archiveUnavailable(new Error('the archive has a gap'));
  return next.n - (next.isMessage ? 1 : 0);
}
