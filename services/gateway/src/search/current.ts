/** Loads the current form of messages that a search has found. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { applyLate, type FoundEntry, type Replicas, readArchivedRoom, readPage, tailOf } from '@maru/archive-db';
import { LIMITS, MaruError } from '@maru/protocol';
import { matches, type ParsedQuery, snippetOf } from '@maru/search-text';
import { epochNumber, type StoredEntry, storedEntryJson } from '../log/entry-codec.ts';
import type { CheckedRoom, CheckFound } from '../log/found-check.ts';

export interface FoundNow {
  /** In the form for clients. */
  json: string;
}

export type Current = (
  userId: string,
  parsed: ParsedQuery,
  found: readonly FoundEntry[],
) => Promise<{
  /**
   * Those that exist, and whose text matches now. In the order of `found`. None if a room is
   * hidden.
   */
  messages: FoundNow[];
  /** Rooms that the user may not read. */
  hidden: string[];
}>;

const RETRY_MS = 1_000;
/** Long texts with rare characters take milliseconds each, so yield to other work in between. */
const TURN_MS = 10;
/** The limit is high, because a message may have been edited. */
const BYTES_MAX = LIMITS.searchPageMax * LIMITS.textBytesMax * 2;

export function createCurrent(options: {
  archive: Pick<Replicas, 'read'>;
  checkFound: CheckFound;
  /** The time until the deadline of the search. */
  leftMs: () => number;
}): Current {
  const { archive, checkFound, leftMs } = options;

  /**
   * Applies changes that the archive did not have. All messages are of one room and not in its log.
   */
  const withLate = async (userId: string, entries: FoundEntry[], checked: CheckedRoom): Promise<FoundEntry[]> => {
    const { epoch, first, late } = checked;
    if (late === undefined) throw archiveUnavailable(new Error('too many late changes'));
    const [one] = entries;
    // If the log was trimmed, the archive or a replica may have been older than the oldest entry.
    if (one === undefined || (late.length === 0 && one.position >= first - 1)) return entries;
    const { room } = one;
    // `late` has the changes after `one.position` only.
    const atLeast = Math.max(first - 1, one.position);
    return archive.read(
      async (tx) => {
        const archived = await readArchivedRoom(tx, room);
        if (archived?.epoch !== epoch || archived.position < atLeast)
          throw archiveUnavailable(new Error('the archive is behind'));
        const seqs = entries.map(({ seq }) => seq);
        const query = { room, reader: userId, of: { kind: 'seqs', seqs } as const, from: { after: 0 } };
        const page = await readPage(tx, { ...query, limit: seqs.length, bytesMax: BYTES_MAX });
        const changes = late.filter(({ seq }) => seq > archived.position);
        const now = await applyLate(tx, { room, reader: userId, entries: page.entries, changes });
        const bySeq = new Map(now.map((entry) => [entry.seq, entry]));
        return entries.flatMap((entry) => {
          const changed = bySeq.get(entry.seq);
          return changed === undefined ? [] : [{ ...entry, ...changed }];
        });
      },
      { need: { room, epoch, position: atLeast }, deadlineMs: leftMs() },
    );
  };

  const check = (userId: string, room: string, entries: FoundEntry[]): Promise<CheckedRoom | 'hidden'> =>
    checkFound(userId, { room, position: entries[0]?.position ?? 0, seqs: entries.map(({ seq }) => seq) });

  /** The JSON of each message. */
  const ofRoom = async (userId: string, room: string, entries: FoundEntry[], checked: CheckedRoom) => {
    const { epoch, first, cleared } = checked;
    const kept = entries.filter((entry) => epochNumber(entry.epoch) >= cleared);
    const inLog = new Map(checked.entries.map((entry) => [entry.seq, entry]));
    const late = await withLate(
      userId,
      kept.filter(({ seq }) => seq < first),
      checked,
    );
    const tails = new Map(late.map((entry) => [entry.seq, tailOf(entry)]));
    const result = new Map<FoundEntry, string>();
    for (const entry of kept) {
      const tail = entry.seq < first ? tails.get(entry.seq) : tailInLog(entry, inLog.get(entry.seq));
      if (tail !== undefined) result.set(entry, storedEntryJson(room, epoch, { ...entry, tail }));
    }
    return result;
  };

  return async (userId, parsed, found) => {
    const rooms = [...Map.groupBy(found, ({ room }) => room)];
    const answers = await Promise.all(rooms.map(([room, entries]) => check(userId, room, entries)));
    const hidden = rooms.map(([room]) => room).filter((_, index) => answers[index] === 'hidden');
    if (hidden.length > 0) return { messages: [], hidden };
    const now = new Map<FoundEntry, string>();
    // One room at a time: a search holds one connection to the archive.
    for (const [index, [room, entries]] of rooms.entries()) {
      const checked = answers[index] as CheckedRoom;
      for (const [entry, json] of await ofRoom(userId, room, entries, checked)) now.set(entry, json);
    }
    const messages: FoundNow[] = [];
    let sinceMs = performance.now();
    for (const json of found.map((entry) => now.get(entry)).filter((json) => json !== undefined)) {
      const shown = withSnippet(json, parsed);
      if (shown !== undefined) messages.push({ json: shown });
      if (performance.now() - sinceMs < TURN_MS) continue;
      await nextTurn();
      sinceMs = performance.now();
    }
    return { messages, hidden };
  };
}

export const archiveUnavailable = (cause: unknown): MaruError =>
  new MaruError('unavailable', 'the archive cannot answer now', { retryAfterMs: RETRY_MS, cause });

/** After a rollback, the log may have another message with this seq. */
const tailInLog = (found: FoundEntry, stored: StoredEntry | undefined): string | undefined =>
  stored?.head === found.head ? stored.tail : undefined;

/** Undefined if the message is deleted, or its text no longer matches. */
function withSnippet(json: string, parsed: ParsedQuery): string | undefined {
  const { text, deleted } = JSON.parse(json) as { text?: string; deleted?: object };
  if (deleted !== undefined || text === undefined || !matches(text, parsed)) return undefined;
  const snippet = snippetOf(text, parsed, LIMITS.snippetCharsMax);
  return `${json.slice(0, -1)},"snippet":${JSON.stringify(snippet)}}`;
}
