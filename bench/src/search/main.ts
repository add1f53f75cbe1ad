/**
 * Measures searches in an archive:
 *
 *   node bench/src/search/main.ts [--messages 10000000] [--record]
 *
 * It starts a PostgreSQL of its own below TMPDIR, and removes it at the end. 10,000,000 messages
 * take about 14 GB and 20 minutes. `--record` writes docs/measurements/<date>-search.md.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { type Archive, migrateArchive, openArchive } from '@maru/archive-db';
import { findPostgresPrograms, startTestPostgres } from '@maru/archive-db/testing';
import pg from 'pg';
import { fill } from './fill.ts';
import { type Figures, KINDS, measure } from './measure.ts';

const log = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
const { values } = parseArgs({
  options: { messages: { type: 'string', default: '10000000' }, record: { type: 'boolean', default: false } },
});
const messages = Number(values.messages);

const server = await startTestPostgres({
  settings: { shared_buffers: '2GB', max_wal_size: '8GB', random_page_cost: '1.1', effective_cache_size: '12GB' },
});
try {
  await migrateArchive({ url: server.url, log });
  const archive = openArchive({ url: server.url, poolMax: 4, deadlineMs: 60_000, onError: () => {} });
  const beganMs = performance.now();
  await fill(archive, messages, log);
  await vacuum(server.url);
  const filledS = (performance.now() - beganMs) / 1_000;
  const figures: Figures[] = [];
  for (const kind of KINDS) {
    figures.push(await measure(archive, kind));
    log(JSON.stringify(figures.at(-1)));
  }
  const report = reportOf(figures, await sizesOf(archive), filledS);
  process.stdout.write(report);
  if (values.record) {
    const name = `${new Date().toISOString().slice(0, 10)}-search.md`;
    writeFileSync(new URL(`../../../docs/measurements/${name}`, import.meta.url), report);
  }
  await archive.close();
} finally {
  await server.stop();
}

/** As autovacuum does some time after an import. */
async function vacuum(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('VACUUM ANALYZE messages, entries, rooms');
  await client.end();
}

async function sizesOf(archive: Archive): Promise<Array<{ name: string; gb: number }>> {
  const rows = await archive.read((tx) =>
    tx.query<{ name: string; bytes: number }>(
      `SELECT relname AS name, pg_relation_size(oid) AS bytes FROM pg_class
      WHERE relname LIKE 'messages%' OR relname LIKE 'entries%' ORDER BY bytes DESC LIMIT 6`,
    ),
  );
  return rows.map(({ name, bytes }) => ({ name, gb: bytes / 1e9 }));
}

function reportOf(figures: Figures[], sizes: Array<{ name: string; gb: number }>, filledS: number): string {
  const version = execFileSync(findPostgresPrograms().postgres, ['--version'], { encoding: 'utf8' }).trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  return `# Searches in ${messages.toLocaleString('en')} messages

${new Date().toISOString()}; ${machine}; Node.js ${process.version}, ${version}, 2 GB shared buffers.
\`node bench/src/search/main.ts --messages ${messages}\`

Half of the texts are Korean, and words follow Zipf's law. 100 searches of each kind, one after another, each for 20 messages:
finding them, reading them, and matching their texts. Each search runs three times and its fastest run counts, because the machine
was busy (load average ${loadavg()[1]?.toFixed(1)}) and this ran at the lowest priority. The last column has the first runs.

| search | found | median, ms | p95, ms | maximum, ms | p95 of first runs, ms |
| --- | ---: | ---: | ---: | ---: | ---: |
${figures.map((one) => `| ${one.name} | ${one.found.toFixed(1)} | ${ms(one.medianMs)} | ${ms(one.p95Ms)} | ${ms(one.maxMs)} | ${ms(one.firstP95Ms)} |`).join('\n')}

Half of the pairs of common words are of two languages and in no text: the index then compares two long lists, which is the dearest
search. A medium word occurs some 1,000 to 12,000 times, a rare one some 100 times.

| table or index | GB |
| --- | ---: |
${sizes.map(({ name, gb }) => `| \`${name}\` | ${gb.toFixed(2)} |`).join('\n')}

Filling and indexing took ${(filledS / 60).toFixed(1)} minutes.
`;
}
