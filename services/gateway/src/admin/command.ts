/** Shared parts of the operators' commands: `--help`, the connection to Redis, and exit codes. */
import { asRedisAddress, openRedis, type RedisStore } from '@maru/redis-store';
import { ConfigError, createLogger, readConfig, withFileValues } from '@maru/service-kit';

export interface AdminCommand<T> {
  /** The name of the connection to Redis. */
  name: string;
  help: string;
  /** Throws a ConfigError if the arguments are invalid. */
  parse: (args: string[]) => T;
  /** MUST be safe to call again after a rejection. */
  run: (store: RedisStore, given: T) => Promise<void>;
}

const FIELDS = {
  redisUrl: { env: 'MARU_REDIS_URL', doc: 'Redis, as the gateways know it', parse: asRedisAddress, secret: true },
};
const CALL_DEADLINE_MS = 5_000;
const STORE_WAIT_MS = 10_000;

/**
 * Runs a command with the arguments of the process. Sets the exit code: 0 on success, 1 if Redis
 * failed, 2 if the arguments are invalid.
 */
export async function runCommand<T>(command: AdminCommand<T>): Promise<void> {
  try {
    process.exitCode = await execute(command, process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exitCode = 2;
  }
}

async function execute<T>({ name, help, parse, run }: AdminCommand<T>, args: string[]): Promise<0 | 1> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help);
    return 0;
  }
  const given = parse(args);
  const { redisUrl } = readConfig(FIELDS, withFileValues(process.env));
  // The command prints what matters, so log lines of the connection are dropped.
  const logger = createLogger({ service: name, node: 'admin', level: 'silent' });
  const source = openRedis(redisUrl, { node: 'admin', logger });
  const store = source.open(name, CALL_DEADLINE_MS);
  try {
    if (!(await store.untilReady(STORE_WAIT_MS))) throw new Error('Redis could not be reached');
    await run(store, given);
    return 0;
  } catch (error) {
    console.error(`not finished: ${error instanceof Error ? error.message : String(error)}. Run it again; it goes on.`);
    return 1;
  } finally {
    await store.close();
    source.close();
  }
}
