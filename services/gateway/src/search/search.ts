/**
 * Searches messages. The archive finds them but may be behind. So each room in a result is asked
 * whether the user may read it, and for the current messages.
 */
import {
  ArchiveUnavailable,
  type FoundEntry,
  type Replicas,
  readFound,
  type SearchPlace,
  type SearchRequest,
  searchMessages,
} from '@maru/archive-db';
import { isPrivateRoomId, LIMITS, MaruError, type RequestOf, type SearchData } from '@maru/protocol';
import { type ParsedQuery, parseQuery, SEARCH_TEXT_LIMITS } from '@maru/search-text';
import type { RoomList } from '../inbox/room-list.ts';
import type { CheckFound } from '../log/found-check.ts';
import { createSemaphore } from '../log/semaphore.ts';
import { type Encoded, withMessages } from '../rooms/reply.ts';
import { archiveUnavailable, createCurrent, type FoundNow } from './current.ts';

export type Search = (
  userId: string,
  request: RequestOf<'search'>,
) => Promise<{
  data: Encoded<SearchData>;
  /** The page's size in characters of JSON. */
  bytes: number;
}>;

/**
 * Maximum searches in the archive for one page. Rooms that turn out to be hidden are excluded from
 * the next one.
 */
const ROUNDS_MAX = 8;
/** Maximum concurrent searches of one user on this node. */
const PER_USER_MAX = 4;
const RETRY_MS = 1_000;

export interface SearchOptions {
  archive: Pick<Replicas, 'read'>;
  /**
   * Maximum concurrent searches. The archive MUST have more connections, so that some are left for
   * old pages.
   */
  searchesMax: number;
  deadlineMs: number;
  roomList: Pick<RoomList, 'read'>;
  checkFound: CheckFound;
  /** Rejects if the user may not read the room. */
  mayRead: (userId: string, room: string) => Promise<void>;
  now: () => number;
}

/**
 * Without an archive, search is unavailable. Rooms that the user may not read are refused as usual.
 */
export const searchWithoutArchive =
  ({ mayRead }: Pick<SearchOptions, 'mayRead'>): Search =>
  async (userId, { room }) => {
    if (room !== undefined) await mayRead(userId, room);
    throw new MaruError('unavailable', 'this cluster has no archive');
  };

export function createSearch(options: SearchOptions): Search {
  const { roomList, mayRead, deadlineMs, now } = options;
  const semaphore = createSemaphore({
    permits: options.searchesMax,
    deadlineMs,
    onTimeout: () => archiveUnavailable(new Error('the search took too long')),
  });
  const running = new Map<string, number>();

  const scopeOf = async (userId: string, { room, from }: RequestOf<'search'>): Promise<SearchRequest['scope']> => {
    if (room !== undefined) {
      await mayRead(userId, room);
      return { public: false, rooms: [room], author: from };
    }
    const listed = await roomList.read(userId);
    const rooms = listed.map((one) => one.room).filter(isPrivateRoomId);
    return { public: true, rooms, author: from };
  };

  const search = async (userId: string, request: RequestOf<'search'>, parsed: ParsedQuery) => {
    const endsAtMs = now() + deadlineMs;
    const scope = await scopeOf(userId, request);
    const page = new Page(options, { userId, request, parsed, scope, endsAtMs });
    await page.fill(placeOf(request.cursor));
    return page.encode();
  };

  return async (userId, request) => {
    const parsed = parseQuery(request.query);
    if (parsed === undefined) {
      const most = SEARCH_TEXT_LIMITS.queryTermsMax;
      throw new MaruError('invalid', `query: has no word to search for, or more than ${most}`);
    }
    const count = running.get(userId) ?? 0;
    if (count >= PER_USER_MAX)
      throw new MaruError('rate_limited', 'too many searches in progress', { retryAfterMs: RETRY_MS });
    running.set(userId, count + 1);
    const done = () => {
      const left = (running.get(userId) ?? 1) - 1;
      if (left === 0) running.delete(userId);
      else running.set(userId, left);
    };
    // The search holds its permit until it ends, even after its deadline.
    const work = () => search(userId, request, parsed).finally(done);
    let began = false;
    try {
      return await semaphore.run(() => {
        began = true;
        return work();
      });
    } catch (error) {
      if (!began) done();
      throw error instanceof ArchiveUnavailable ? archiveUnavailable(error) : error;
    }
  };
}

interface Task {
  userId: string;
  request: RequestOf<'search'>;
  parsed: ParsedQuery;
  scope: SearchRequest['scope'];
  endsAtMs: number;
}

class Page {
  readonly #options: SearchOptions;
  readonly #task: Task;
  readonly #messages: FoundNow[] = [];
  readonly #hidden = new Set<string>();
  #next: SearchPlace | undefined;

  constructor(options: SearchOptions, task: Task) {
    this.#options = options;
    this.#task = task;
  }

  /** Stops at a full page, at the last result, or after `ROUNDS_MAX` rounds. */
  async fill(from: SearchPlace | undefined): Promise<void> {
    const limit = Math.min(this.#task.request.limit, LIMITS.searchPageMax);
    this.#next = from;
    for (let round = 0; round < ROUNDS_MAX && this.#messages.length < limit; round += 1) {
      const { found, next } = await this.#find(limit - this.#messages.length);
      const { messages, hidden } = await this.#now(found);
      // A cursor from this page could reveal something about a hidden room.
      if (hidden.length > 0) for (const room of hidden) this.#hidden.add(room);
      else {
        this.#messages.push(...messages);
        this.#next = next;
        if (next === undefined) return;
      }
    }
    if (this.#next === from && this.#messages.length === 0)
      throw new MaruError('unavailable', 'too many results are in rooms that you may not read');
  }

  #find(limit: number): Promise<{ found: FoundEntry[]; next: SearchPlace | undefined }> {
    const { archive, now } = this.#options;
    const { userId, request, parsed, scope, endsAtMs } = this.#task;
    const { room, before, after } = request;
    const read = { parsed, room, beforeTs: before, afterTs: after, after: this.#next, limit };
    return archive.read(
      async (tx) => {
        const { hits, next } = await searchMessages(tx, { ...read, scope: { ...scope, without: [...this.#hidden] } });
        return { found: await readFound(tx, hits, userId), next };
      },
      { deadlineMs: Math.max(1, endsAtMs - now()) },
    );
  }

  #now(found: readonly FoundEntry[]) {
    const { archive, checkFound, now } = this.#options;
    const { userId, parsed, endsAtMs } = this.#task;
    const current = createCurrent({ archive, checkFound, leftMs: () => Math.max(1, endsAtMs - now()) });
    return current(userId, parsed, found);
  }

  encode(): { data: Encoded<SearchData>; bytes: number } {
    const cursor = this.#next === undefined ? {} : { cursor: cursorOf(this.#next) };
    const messages = this.#messages.map(({ json }) => json);
    return {
      data: withMessages<SearchData>(cursor, messages),
      bytes: messages.reduce((sum, { length }) => sum + length, 0),
    };
  }
}

const cursorOf = ({ ts, seq, room }: SearchPlace): string => `${ts}-${seq}-${room}`;
const CURSOR = new RegExp(`^(\\d{1,15})-(\\d{1,15})-([a-z0-9._-]{0,${LIMITS.roomIdCharsMax}})$`);

function placeOf(cursor: string | undefined): SearchPlace | undefined {
  if (cursor === undefined) return undefined;
  const [, ts, seq, room] = CURSOR.exec(cursor) ?? [];
  if (room === undefined) throw new MaruError('invalid', 'cursor: must be the cursor of the previous page');
  return { ts: Number(ts), seq: Number(seq), room };
}
