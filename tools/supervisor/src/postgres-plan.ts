/** Runs PostgreSQL with the files of deploy/postgres. */
import { join } from 'node:path';
import { Client } from 'pg';
import { renderPostgresConfig, renderPostgresHba } from '../../../deploy/postgres/render.ts';
import type { ProcessPlan } from './managed-process.ts';
import type { Ports } from './ports.ts';
import { waitUntilUnused } from './postgres-leftovers.ts';
import { type PostgresPrograms, setUpPostgres } from './postgres-setup.ts';
import type { Secrets } from './secrets.ts';
import { pathFor } from './spawn-command.ts';
import { type Account, writeOwned } from './unprivileged.ts';

export interface PostgresPlan extends ProcessPlan {
  /** Has all rights. */
  readonly adminUrl: string;
  /** For the application. */
  readonly maruUrl: string;
  /** Makes the data directory if it is missing. Call it once, before the first start. */
  setUp(signal: AbortSignal): Promise<void>;
}

const ANSWER_WITHIN_MS = 1_000;

/** True if PostgreSQL accepts the password and answers a query. */
async function answers(url: string): Promise<boolean> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: ANSWER_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
  });
  // It is ready or not: a later error of this connection changes nothing.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    client.end().catch(() => {});
  }
}

export function planPostgres(options: {
  programs: PostgresPrograms;
  /** Absolute. */
  directory: string;
  /** Null for the account of this process. */
  account: Account | null;
  secrets: Secrets;
  ports: Ports;
  isFree: (port: number) => Promise<boolean>;
}): PostgresPlan {
  const { programs, directory, account, secrets, ports } = options;
  let port = 0;
  const url = (name: string, password: string) => `postgres://${name}:${password}@127.0.0.1:${port}/maru`;
  const adminUrl = () => url('admin', secrets.postgresAdminPassword);
  const path = pathFor(account, directory);

  return {
    name: 'postgres',
    ipc: false,
    // After a crash it first replays its log.
    readyWithinMs: 120_000,
    get adminUrl() {
      return adminUrl();
    },
    get maruUrl() {
      return url('maru', secrets.postgresMaruPassword);
    },
    setUp: (signal) => setUpPostgres({ programs, directory, account, secrets, signal }),
    async prepare() {
      await waitUntilUnused(directory);
      port = port === 0 ? await ports.take() : await ports.keep(port);
      const config = renderPostgresConfig({ port, hbaPath: join(path, 'pg_hba.conf') });
      writeOwned(join(directory, 'postgresql.conf'), config, account);
      writeOwned(join(directory, 'pg_hba.conf'), renderPostgresHba(), account);
      return {
        file: programs.file,
        args: ['-D', path],
        env: { PATH: process.env.PATH, LANG: 'C' },
        ...(account === null ? {} : { as: { account, directory } }),
      };
    },
    isReady: () => answers(adminUrl()),
    portsWereTaken: async () => !(await options.isFree(port)),
  };
}
