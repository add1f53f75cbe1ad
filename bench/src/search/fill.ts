/** Fills an archive with messages of two years. */
import type { Archive } from '@maru/archive-db';
import { toWords } from '@maru/search-text';
import { randomFrom, textOf, zipf } from './text.ts';

export const ROOMS = 3_000;
/** Every sixth room is private. */
export const isPrivate = (room: number): boolean => room % 6 === 5;
export const roomId = (room: number): string => `${isPrivate(room) ? 'p-' : 'room-'}${room}`;
export const AUTHORS = 20_000;
const SPAN_MS = 2 * 365 * 24 * 60 * 60 * 1_000;
const END_TS = Date.UTC(2026, 10, 1);
const BATCH_ROWS = 5_000;
const WRITERS = 2;
const DEADLINE_MS = 3_600_000;

const DROP = `
  ALTER TABLE messages DROP CONSTRAINT messages_pkey;
  ALTER TABLE entries DROP CONSTRAINT entries_pkey;
  DROP INDEX messages_by_time, messages_by_words, messages_by_thread, entries_by_time, entries_by_author, entries_by_target`;

/** Rows without indexes, then the indexes, as an import does. */
export async function fill(archive: Archive, messages: number, log: (line: string) => void): Promise<void> {
  const run = (sql: string) => archive.write((tx) => tx.query(sql), { deadlineMs: DEADLINE_MS });
  const indexes = await archive.read((tx) =>
    tx.query<{ name: string; sql: string }>(
      `SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE tablename IN ('messages', 'entries')`,
    ),
  );
  await run(DROP);
  const random = randomFrom(1);
  const seqs = new Map<number, number>();
  let made = 0;
  const writer = async () => {
    while (made < messages) {
      const rows = batch(Math.min(BATCH_ROWS, messages - made), made, messages, random, seqs);
      made += rows.texts.length;
      await insert(archive, rows);
      if (made % 500_000 === 0) log(`${made} messages`);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  for (const { name, sql } of indexes) {
    log(`index ${name}`);
    await run(`SET LOCAL maintenance_work_mem = '1GB'; ${sql}`);
  }
  await run(`INSERT INTO rooms (room, epoch, position, first, private)
    SELECT room, '1.a', max(seq), 1, room LIKE 'p-%' FROM messages GROUP BY room`);
  log('vacuum');
}

interface Rows {
  rooms: string[];
  seqs: number[];
  times: number[];
  authors: string[];
  texts: string[];
  words: string[];
}

function batch(count: number, from: number, all: number, random: () => number, last: Map<number, number>): Rows {
  const rows: Rows = { rooms: [], seqs: [], times: [], authors: [], texts: [], words: [] };
  for (let index = 0; index < count; index++) {
    const number = zipf(random, ROOMS);
    const seq = (last.get(number) ?? 0) + 1;
    last.set(number, seq);
    const [room, author, text] = [roomId(number), `user-${zipf(random, AUTHORS)}`, textOf(random)];
    const ts = END_TS - SPAN_MS + Math.floor(((from + index) / all) * SPAN_MS);
    rows.rooms.push(room);
    rows.seqs.push(seq);
    rows.times.push(ts);
    rows.authors.push(author);
    rows.texts.push(text);
    rows.words.push(toWords({ text, room, author, ts, private: isPrivate(number) }));
  }
  return rows;
}

async function insert(archive: Archive, { rooms, seqs, times, authors, texts, words }: Rows): Promise<void> {
  await archive.write(
    async (tx) => {
      await tx.query(
        `INSERT INTO messages (room, seq, ts, author, words)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::tsvector[])`,
        [rooms, seqs, times, authors, words],
      );
      await tx.query(
        `INSERT INTO entries (room, seq, epoch, ts, n, author, is_message, head, tail)
        SELECT room, seq, '1.a', ts, seq, author, true,
          '"n":' || seq || ',"type":"text","from":{"id":"' || author || '","name":"A name"},"clientMsgId":"' || ts || '"',
          '"text":' || to_json(text)
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) AS t (room, seq, ts, author, text)`,
        [rooms, seqs, times, authors, texts],
      );
    },
    { deadlineMs: DEADLINE_MS },
  );
}
