/** Migrates the tables to the form that this release needs. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

export interface MigrateOptions {
  url: string;
  /** Folder of the SQL files. Default: beside this module's folder. */
  directory?: URL | string;
  /** `up`, the default, runs all missing migrations. `down` undoes the newest one. */
  direction?: 'up' | 'down';
  log(message: string): void;
}

const TABLE = 'migrations';
const CONNECT_TIMEOUT_MS = 10_000;
/** Maximum wait for another migration, and for each lock. */
const LOCK_TIMEOUT_MS = 120_000;

/**
 * Concurrent calls are safe: an advisory lock lets one run, and the others then find nothing to do.
 * All missing migrations are one transaction. Returns the names of those that ran. @throws if
 * PostgreSQL is unavailable, or if a newer release has changed the tables
 */
export async function migrateArchive(options: MigrateOptions): Promise<string[]> {
  const directory = pathOf(options.directory ?? new URL('../migrations/', import.meta.url));
  const client = new pg.Client({
    connectionString: options.url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'maru-migrate',
  });
  // The running query reports the error.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await refuseNewer(client, directory);
    // Loaded on demand: it is a seventh of what a gateway loads at its start, and gateways never
    // migrate.
    const { runner } = await import('node-pg-migrate');
    const ran = await runner({
      dbClient: client,
      dir: directory,
      direction: options.direction ?? 'up',
      migrationsTable: TABLE,
      advisoryLockMode: 'wait',
      singleTransaction: true,
      logger: quiet(options.log),
    });
    // A newer release may have migrated while this one waited for the lock.
    await refuseNewer(client, directory);
    for (const { name } of ran) options.log(`${options.direction ?? 'up'} ${name}`);
    return ran.map(({ name }) => name);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const pathOf = (directory: URL | string): string =>
  directory instanceof URL || directory.startsWith('file:') ? fileURLToPath(directory) : directory;

/** Drops the library's `info` messages, which announce its next steps. */
const quiet = (log: (message: string) => void) => ({ info: () => undefined, warn: log, error: log });

async function refuseNewer(client: pg.Client, directory: string): Promise<void> {
  const { rows: tables } = await client.query('SELECT to_regclass($1) IS NOT NULL AS present', [TABLE]);
  if (tables[0]?.present !== true) return;
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${TABLE} ORDER BY id`);
  const known = new Set((await readdir(directory)).map((file) => file.replace(/\.sql$/, '')));
  const unknown = rows.map(({ name }) => name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new Error(
    `the database is newer than this release: it has the migration ${unknown.join(', ')}. Run the newer release.`,
  );
}
