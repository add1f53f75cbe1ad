import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { matches, parseQuery, startOfPeriod, toWords } from '@maru/search-text';
import { type Archive, openArchive } from './archive.ts';
import { migrateArchive } from './migrate.ts';
import { type SearchPlace, type SearchRequest, type SearchSizes, searchMessages } from './search.ts';
import { startTestPostgres, type TestPostgres } from './testing/postgres.ts';

interface Message extends SearchPlace {
  text: string;
  author: string;
}

const ROOMS = ['lobby', 'tea', 'p-team', 'p-other'];
const AUTHORS = ['ada', "o'brien"];
const WORDS = ['hello', '안녕하세요', 'café', '検索', 'rare', 'help'];
const MESSAGES = 1_500;
/** Small, so that the test reaches all steps of a search. */
const SMALL: SearchSizes = { windowRows: 30, moreRows: 90, denseHits: 9, indexHitsMax: 30, queryRoomsMax: 9 };
const SCOPE = { public: true, rooms: ['p-team'] };

let server: TestPostgres;
let archive: Archive;
const messages: Message[] = [];
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** A small generator of random numbers, so that a seed repeats a run. */
function random(state: number): () => number {
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

before(async () => {
  server = await startTestPostgres();
  const url = await server.createDatabase();
  await migrateArchive({ url, log: () => undefined });
  archive = openArchive({ url, poolMax: 2, deadlineMs: 20_000, onError: () => undefined });
  fill();
  await archive.write(async (tx) => {
    const columns = [
      messages.map(({ room }) => room),
      messages.map(({ seq }) => seq),
      messages.map(({ ts }) => ts),
      messages.map(({ author }) => author),
      messages.map((message) => toWords({ ...message, private: message.room.startsWith('p-') })),
    ];
    await tx.query(
      `INSERT INTO messages (room, seq, ts, author, words)
      SELECT room, seq, ts, author, words::tsvector FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
        AS t (room, seq, ts, author, words)`,
      columns,
    );
    await tx.query(
      `INSERT INTO entries (room, seq, epoch, ts, n, author, is_message, head, tail)
      SELECT room, seq, '1.a', ts, seq, author, true, '', '' FROM messages`,
    );
  });
});
after(async () => {
  await archive.close();
  await server.stop();
});

/** Five periods. `hello` is common only in the second one, and many messages have the same time. */
function fill(): void {
  const next = random(seed);
  const seqs = new Map<string, number>();
  for (let index = 0; index < MESSAGES; index++) {
    const period = Math.floor((index / MESSAGES) * 5);
    const ts = startOfPeriod(700 + period) + Math.floor(index / 3);
    const room = ROOMS[Math.floor(next() ** 2 * ROOMS.length)] as string;
    const seq = (seqs.get(room) ?? 0) + 1;
    seqs.set(room, seq);
    const words = WORDS.filter((word) => {
      const often = word === 'hello' ? (period === 1 ? 0.9 : 0.01) : 0.3 / (WORDS.indexOf(word) ** 3 + 1);
      return next() < often;
    });
    messages.push({ room, seq, ts, text: words.join(' '), author: AUTHORS[index % 2] as string });
  }
}

const inOrder = (a: SearchPlace, b: SearchPlace) =>
  b.ts - a.ts || (a.room < b.room ? -1 : a.room > b.room ? 1 : 0) || b.seq - a.seq;

type Asked = Partial<SearchRequest> & { query: string };

function requestOf({ query, ...rest }: Asked): SearchRequest {
  const parsed = parseQuery(query) ?? assert.fail(query);
  return { parsed, scope: rest.room === undefined ? SCOPE : { public: false, rooms: [rest.room] }, limit: 20, ...rest };
}

function expected(asked: Asked): SearchPlace[] {
  const { parsed, scope, room, beforeTs = Infinity, afterTs = -1 } = requestOf(asked);
  const isIn = (name: string) => scope.rooms.includes(name) || (scope.public && !name.startsWith('p-'));
  return messages
    .filter((message) => isIn(message.room) && (room === undefined || message.room === room))
    .filter(({ ts, author }) => ts < beforeTs && ts > afterTs && (scope.author ?? author) === author)
    .filter(({ text }) => matches(text, parsed))
    .sort(inOrder)
    .map(({ room, seq, ts }) => ({ room, seq, ts }));
}

async function pages(asked: Asked, sizes: SearchSizes): Promise<SearchPlace[]> {
  const found: SearchPlace[] = [];
  let after: SearchPlace | undefined;
  for (let page = 0; page < 500; page++) {
    const request = { ...requestOf(asked), after };
    const { hits, next } = await archive.read((tx) => searchMessages(tx, request, sizes));
    assert.ok(hits.length <= request.limit);
    found.push(...hits);
    if (next === undefined) return found;
    after = next;
  }
  return assert.fail('the pages have no end');
}

const middle = startOfPeriod(702) + 300;
const ASKED: Asked[] = [
  ...['hello', '안녕', '녕', 'cafe', '検索', 'rare', 'absent', 'he', 'hello café', '안녕 -cafe'].map((query) => ({
    query,
  })),
  { query: 'hello', limit: 1_000 },
  { query: 'hello', room: 'lobby' },
  { query: 'cafe', room: 'p-team', limit: 3 },
  { query: 'hello', scope: { ...SCOPE, author: "o'brien" } },
  { query: 'hello', beforeTs: middle },
  { query: 'cafe', afterTs: middle },
  { query: 'hello', room: 'tea', beforeTs: middle, afterTs: startOfPeriod(701) + 150 },
  { query: 'hello', scope: { public: false, rooms: [] } },
];

test('finds the same messages as a full scan, page by page, without gaps or duplicates', async (t) => {
  t.diagnostic(`SEED=${seed}`);
  for (const asked of ASKED) {
    for (const sizes of [SMALL, { ...SMALL, moreRows: 5_000, denseHits: 99, queryRoomsMax: 0 }]) {
      assert.deepEqual(await pages(asked, sizes), expected(asked), JSON.stringify({ asked, sizes, seed }));
    }
  }
});

test('the place where a search stops does not reveal a room', async () => {
  const stops: SearchPlace[] = [];
  let after: SearchPlace | undefined;
  do {
    const { hits, next } = await archive.read((tx) =>
      searchMessages(
        tx,
        { ...requestOf({ query: 'hello' }), after },
        { ...SMALL, windowRows: 20, moreRows: 20, indexHitsMax: 1 },
      ),
    );
    if (next !== undefined && next.room !== hits.at(-1)?.room) stops.push(next);
    after = next;
  } while (after !== undefined);
  assert.ok(stops.length > 0);
  assert.ok(stops.every(({ room, seq }) => room === '' && seq === 0));
});
