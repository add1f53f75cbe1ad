/**
 * The connections to PostgreSQL: a bounded pool in which every call has a deadline. The deadline
 * holds whatever the server does.
 */
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { ArchiveUnavailable, unavailableOf } from './unavailable.ts';

/** Statements in one transaction. Integers of 8 bytes are numbers: they are exact up to 2^53. */
export interface Tx {
  /** @throws ArchiveUnavailable; the transaction MUST then end */
  query<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

export interface CallOptions {
  /** Replaces the archive's deadline for this call. */
  deadlineMs?: number;
}

export interface Archive {
  /**
   * Runs `fn` in one snapshot that only reads. Fails with `ArchiveUnavailable`, or with what `fn`
   * throws. `fn` MUST NOT wait for anything but its queries.
   */
  read<T>(fn: (tx: Tx) => Promise<T>, options?: CallOptions): Promise<T>;
  /**
   * Runs `fn` in a transaction, and commits. After an `ArchiveUnavailable` it is unknown whether
   * the transaction was committed.
   */
  write<T>(fn: (tx: Tx) => Promise<T>, options?: CallOptions): Promise<T>;
  /** Open connections, calls that wait for one, and the maximum of connections. */
  usage(): { open: number; waiting: number; max: number };
  close(): Promise<void>;
}

export interface ArchiveOptions {
  /** `postgres://user:password@host:port/database` */
  url: string;
  /** Connections at most. */
  poolMax: number;
  /** Deadline of a call, including the wait for a connection. */
  deadlineMs: number;
  /** For `pg_stat_activity`. Default `maru`. */
  name?: string;
  /** Called for the error of an idle connection. */
  onError(error: ArchiveUnavailable): void;
}

/** Calls that wait for a connection, for each connection of the pool. */
const WAITING_PER_CONNECTION_MAX = 16;
const IDLE_TIMEOUT_MS = 60_000;
const INT8 = 20;
const INT8_ARRAY = 1016;

const BEGIN = { read: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', write: 'BEGIN' };

const listOf = pg.types.getTypeParser(INT8_ARRAY as number) as (value: string) => string[];
const NUMBERS: pg.CustomTypesConfig = {
  getTypeParser(type: number, format?: 'text' | 'binary') {
    if (type === INT8) return Number;
    if (type === INT8_ARRAY) return (value: string) => listOf(value).map(Number);
    return pg.types.getTypeParser(type, format);
  },
};

/** Connects at the first call, because PostgreSQL may be down at the start. */
export function openArchive(options: ArchiveOptions): Archive {
  const { poolMax, deadlineMs } = options;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: poolMax,
    // Includes the wait for a connection that another call uses.
    connectionTimeoutMillis: deadlineMs,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    // A caller that hangs in a transaction must not keep its locks.
    idle_in_transaction_session_timeout: deadlineMs,
    keepAlive: true,
    application_name: options.name ?? 'maru',
    types: NUMBERS,
  });
  // The query that was running reports it. Without a listener the process would end.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => options.onError(unavailableOf(error)));

  const call = async <T>(mode: 'read' | 'write', fn: (tx: Tx) => Promise<T>, { deadlineMs: own }: CallOptions) => {
    if (pool.waitingCount >= poolMax * WAITING_PER_CONNECTION_MAX) {
      throw new ArchiveUnavailable('busy', `${pool.waitingCount} calls wait for a connection to PostgreSQL`);
    }
    const limitMs = own ?? deadlineMs;
    const endsAt = performance.now() + limitMs;
    const client = await connect(pool, limitMs);
    return inTransaction(client, BEGIN[mode], endsAt, fn);
  };

  return {
    read: (fn, callOptions = {}) => call('read', fn, callOptions),
    write: (fn, callOptions = {}) => call('write', fn, callOptions),
    usage: () => ({ open: pool.totalCount, waiting: pool.waitingCount, max: poolMax }),
    close: () => pool.end(),
  };
}

/** The pool has one time limit for all calls. The limit of this call may be shorter. */
async function connect(pool: pg.Pool, limitMs: number): Promise<pg.PoolClient> {
  const connecting = pool.connect();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    // A connection that arrives too late goes back to the pool.
    connecting.then(
      (client) => client.release(),
      () => undefined,
    );
    late.reject(new ArchiveUnavailable('timeout', `no connection to PostgreSQL in ${limitMs} ms`));
  }, limitMs);
  try {
    return await Promise.race([connecting, late.promise]);
  } catch (error) {
    throw unavailableOf(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Takes the client, and gives it back to the pool or destroys it. */
async function inTransaction<T>(
  client: pg.PoolClient,
  begin: string,
  endsAt: number,
  fn: (tx: Tx) => Promise<T>,
): Promise<T> {
  let failure: ArchiveUnavailable | undefined;
  let released = false;
  const release = (destroy: boolean) => {
    if (!released) client.release(destroy);
    released = true;
  };
  const leftMs = Math.max(1, Math.round(endsAt - performance.now()));
  // Destroying the connection makes its queries fail, even if the server does not answer.
  const timer = setTimeout(() => {
    failure = new ArchiveUnavailable('timeout', 'PostgreSQL did not answer in time');
    release(true);
  }, leftMs);
  const query = async <Row extends object>(text: string, values?: unknown[]): Promise<Row[]> => {
    if (failure !== undefined) throw failure;
    try {
      const { rows } = await client.query<Row>(text, values);
      return rows;
    } catch (error) {
      failure ??= unavailableOf(error);
      throw failure;
    }
  };
  try {
    await query(`${begin}; SET LOCAL statement_timeout = ${leftMs}`);
    const result = await fn({ query });
    await query('COMMIT');
    return result;
  } catch (error) {
    // After an error of the server or of `fn` the connection is fine.
    if (failure === undefined || failure.code !== undefined) await client.query('ROLLBACK').catch(() => release(true));
    throw error;
  } finally {
    clearTimeout(timer);
    release(failure !== undefined && failure.code === undefined);
  }
}
