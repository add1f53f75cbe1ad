/** Shared parts of the operators' commands: `--help`, the connections, and exit codes. */
import { parseArgs } from 'node:util';
import { type Archive, openArchive } from '@maru/archive-db';
import { asRedisAddress, openRedis, type RedisStore } from '@maru/redis-store';
import { asUrl, ConfigError, createLogger, readConfig, withFileValues } from '@maru/service-kit';

export interface AdminCommand<T> {
  /** The name of the connections. */
  name: string;
  help: string;
  /** Names of options with a string value. */
  options: readonly string[];
  /** Throws a ConfigError if the arguments are invalid. */
  parse: (given: Partial<Record<string, string>>) => T;
  /** Throws an error of `refusals` if the request itself is invalid. */
  run: (stores: { archive: Archive; store: RedisStore }, given: T) => Promise<void>;
  refusals: ReadonlyArray<abstract new (...args: never[]) => Error>;
}

const FIELDS = {
  redisUrl: { env: 'MARU_REDIS_URL', doc: 'Redis, as the gateways know it', parse: asRedisAddress, secret: true },
  postgresUrl: {
    env: 'MARU_POSTGRES_URL',
    doc: 'PostgreSQL, as the archiver knows it',
    parse: asUrl('postgres', 'postgresql'),
    secret: true,
  },
};
const CALL_DEADLINE_MS = 5_000;
const STORE_WAIT_MS = 10_000;
const ARCHIVE_DEADLINE_MS = 30_000;
const POOL_MAX = 2;

/**
 * Runs a command with the arguments of the process. Sets the exit code: 0 on success, 1 if a store
 * failed, 2 if the request is invalid.
 */
export async function runCommand<T>(command: AdminCommand<T>): Promise<void> {
  process.exitCode = await execute(command, process.argv.slice(2));
}

async function execute<T>(command: AdminCommand<T>, args: string[]): Promise<0 | 1 | 2> {
  const { name, help, refusals } = command;
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help);
    return 0;
  }
  let stop = async () => {};
  try {
    const given = command.parse(read(command, args));
    const { redisUrl, postgresUrl } = readConfig(FIELDS, withFileValues(process.env));
    // The command prints what matters, so log lines of the connections are dropped.
    const logger = createLogger({ service: name, node: 'admin', level: 'silent' });
    const source = openRedis(redisUrl, { node: 'admin', logger });
    const store = source.open(name, CALL_DEADLINE_MS);
    const archive = openArchive({
      ...{ url: postgresUrl, poolMax: POOL_MAX, deadlineMs: ARCHIVE_DEADLINE_MS, name: `maru-${name}` },
      onError: () => {},
    });
    stop = async () => {
      await Promise.all([store.close(), archive.close()]);
      source.close();
    };
    if (!(await store.untilReady(STORE_WAIT_MS))) throw new Error('Redis could not be reached');
    await command.run({ archive, store }, given);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ConfigError || refusals.some((refusal) => error instanceof refusal)) {
      console.error(message);
      return 2;
    }
    console.error(`not finished: ${message}. Run it again.`);
    return 1;
  } finally {
    await stop();
  }
}

function read<T>({ options, help }: AdminCommand<T>, args: string[]): Partial<Record<string, string>> {
  try {
    const { values } = parseArgs({
      args,
      options: Object.fromEntries(options.map((option) => [option, { type: 'string' as const }])),
      strict: true,
    });
    return values as Partial<Record<string, string>>;
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n\n${help}`);
  }
}
