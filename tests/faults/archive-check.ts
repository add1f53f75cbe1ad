/** Compares the archive with the members' entries at the end of a trial. */
import type { Entry } from '@maru/protocol';
import pg from 'pg';
import { poll } from '../support/poll.ts';

/** The promise: after an outage the archive is complete again within 5 minutes. */
const CAUGHT_UP_MS = 300_000;
const CHECK_EVERY_MS = 500;
const NAMED_MAX = 3;

/** Runs `work` as the administrator of the archive at this URL. */
export async function onArchive<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

interface Row {
  seq: number;
  ts: number;
  n: number;
  author: string;
  head: string;
}

/** @returns differences between a quiet room's archive and its history, which begins at entry 1 */
export async function checkArchive(url: string, room: string, history: readonly Entry[]): Promise<string[]> {
  const head = history.at(-1)?.seq ?? 0;
  if (head === 0) return [];
  return onArchive(url, async (client) => {
    const position = async () => {
      const { rows } = await client.query('SELECT position, epoch FROM rooms WHERE room = $1', [room]);
      return { seq: Number(rows[0]?.position ?? 0), epoch: String(rows[0]?.epoch) };
    };
    const isThere = async () => {
      const { seq, epoch } = await position();
      return seq === head && epoch === history.at(-1)?.epoch;
    };
    try {
      await poll('the archive to be complete', isThere, { timeoutMs: CAUGHT_UP_MS, everyMs: CHECK_EVERY_MS });
    } catch {
      return [`archive: ${room} is at ${JSON.stringify(await position())}, and the head is ${head}`];
    }
    const { rows } = await client.query<Record<keyof Row, string>>(
      'SELECT seq, ts, n, author, head FROM entries WHERE room = $1 ORDER BY seq',
      [room],
    );
    return differencesOf(room, rows.map(toRow), history);
  });
}

const toRow = ({ seq, ts, n, author, head }: Record<keyof Row, string>): Row => {
  return { seq: Number(seq), ts: Number(ts), n: Number(n), author, head };
};

/** Pure. */
export function differencesOf(room: string, rows: readonly Row[], history: readonly Entry[]): string[] {
  const found: string[] = [];
  if (rows.length !== history.length) found.push(`it has ${rows.length} entries, not ${history.length}`);
  for (const [index, entry] of history.entries()) {
    const row = rows[index];
    const same =
      row !== undefined &&
      row.seq === entry.seq &&
      row.ts === entry.ts &&
      row.n === entry.n &&
      row.author === entry.from.id &&
      row.head.includes(`"type":"${entry.type}"`);
    if (!same) found.push(`entry ${entry.seq} is ${JSON.stringify(row)}, not ${JSON.stringify(entry)}`);
  }
  return found.slice(0, NAMED_MAX).map((what) => `archive: ${room}: ${what}`);
}
