/** Measures searches of several kinds: the words, the scope, and the page. */
import { performance } from 'node:perf_hooks';
import { type Archive, readFound, type SearchRequest, searchMessages } from '@maru/archive-db';
import { matches, parseQuery } from '@maru/search-text';
import { AUTHORS, ROOMS, roomId } from './fill.ts';
import { englishWord, koreanWord, randomFrom } from './text.ts';

export interface Kind {
  name: string;
  query: (random: () => number) => string;
  scope?: (random: () => number) => SearchRequest['scope'];
  room?: string;
  /** Measures this page instead of the first. */
  page?: number;
}

export interface Figures {
  name: string;
  /** Messages found, on average. */
  found: number;
  medianMs: number;
  p95Ms: number;
  maxMs: number;
  /** Of the first run of each search. */
  firstP95Ms: number;
}

const LIMIT = 20;
const SEARCHES = 100;
/** The fastest run of a search counts, because the machine has other work. */
const RUNS = 3;
/** More than the product's deadline, so that a slow search is measured and does not fail. */
const DEADLINE_MS = 60_000;
const ROOMS_OF_USER = 20;
/** As many as a user may have. */
const ROOMS_OF_USER_MAX = 5_000;

const between = (from: number, to: number) => (random: () => number) => from + Math.floor(random() * (to - from));
const word = (from: number, to: number) => (random: () => number) => {
  const rank = between(from, to)(random);
  return `${random() < 0.5 ? englishWord(rank) : koreanWord(rank)} `;
};
const privateRooms = (count: number) => Array.from({ length: count }, (_, index) => roomId(index * 6 + 5));
const usual: SearchRequest['scope'] = { public: true, rooms: privateRooms(ROOMS_OF_USER) };
const common = word(0, 20);
const rare = word(20_000, 60_000);

export const KINDS: Kind[] = [
  { name: 'common word', query: common },
  { name: 'medium word', query: word(300, 3_000) },
  { name: 'rare word', query: rare },
  { name: 'absent word', query: (random) => `zz${Math.floor(random() * 1e6)}qq ` },
  { name: 'two common words', query: (random) => common(random) + common(random) },
  { name: 'one Korean syllable', query: (random) => koreanWord(between(0, 60)(random)).slice(0, 1) },
  { name: 'beginning of a word', query: (random) => englishWord(between(0, 20_000)(random)).slice(0, 3) },
  { name: 'common word in a small room', query: common, room: roomId(ROOMS - 2) },
  { name: 'medium word in a large room', query: word(300, 3_000), room: roomId(0) },
  {
    name: 'common word of an author',
    query: common,
    scope: (random) => ({ ...usual, author: `user-${between(0, AUTHORS)(random)}` }),
  },
  { name: 'common word, page 20', query: common, page: 20 },
  {
    name: `rare word, a user with ${ROOMS_OF_USER_MAX} private rooms`,
    query: rare,
    scope: () => ({ public: true, rooms: privateRooms(ROOMS_OF_USER_MAX) }),
  },
];

/** One page, as a gateway reads it, and how long that took. */
async function searchOnce(archive: Archive, request: SearchRequest) {
  const beganMs = performance.now();
  const { entries, next } = await archive.read(
    async (tx) => {
      const { hits, next } = await searchMessages(tx, request);
      return { entries: await readFound(tx, hits, 'user-1'), next };
    },
    { deadlineMs: DEADLINE_MS },
  );
  const textOf = (tail: string) => (JSON.parse(`{${tail}}`) as { text: string }).text;
  const shown = entries.filter(({ tail }) => matches(textOf(tail), request.parsed));
  return { found: shown.length, next, ms: performance.now() - beganMs };
}

export async function measure(archive: Archive, kind: Kind): Promise<Figures> {
  const random = randomFrom(7);
  const first: number[] = [];
  const best: number[] = [];
  let found = 0;
  for (let count = 0; count < SEARCHES; count++) {
    const parsed = parseQuery(kind.query(random));
    if (parsed === undefined) throw new Error(`the query of ${kind.name} has no word`);
    const scope = kind.room === undefined ? (kind.scope?.(random) ?? usual) : { public: false, rooms: [kind.room] };
    const request: SearchRequest = { parsed, scope, room: kind.room, limit: LIMIT };
    for (let page = 1; page < (kind.page ?? 1); page++) {
      const { next } = await searchOnce(archive, request);
      if (next !== undefined) request.after = next;
    }
    const runs = [];
    for (let run = 0; run < RUNS; run++) runs.push(await searchOnce(archive, request));
    first.push(runs[0]?.ms ?? 0);
    best.push(Math.min(...runs.map(({ ms }) => ms)));
    found += runs[0]?.found ?? 0;
  }
  return { name: kind.name, found: found / SEARCHES, ...percentiles(best), firstP95Ms: percentiles(first).p95Ms };
}

function percentiles(times: number[]): { medianMs: number; p95Ms: number; maxMs: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}
