/** Where a text still is. */
import type { Tx } from '../archive.ts';

/** The tables of which a row has the text in any column. */
export async function tablesWith(tx: Tx, text: string): Promise<string[]> {
  const all = await tx.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of all) {
    const rows = await tx.query(`SELECT 1 FROM ${name} AS t WHERE position($1 IN t::text) > 0 LIMIT 1`, [text]);
    if (rows.length > 0) found.push(name);
  }
  return found;
}
