/** Where a text of a room still is. */
import type { Tx } from '../archive.ts';

const TABLES = ['rooms', 'entries', 'messages', 'reactions', 'set_aside'];

/** `table: text` for each table of which a row of the room has one of the texts in any column. */
export async function placesOf(tx: Tx, room: string, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of TABLES) {
    const rows = await tx.query<{ row: string }>(`SELECT t::text AS row FROM ${table} AS t WHERE room = $1`, [room]);
    const all = rows.map(({ row }) => row).join('\n');
    found.push(...texts.filter((text) => all.includes(text)).map((text) => `${table}: ${text}`));
  }
  return found;
}
