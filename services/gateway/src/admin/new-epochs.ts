/**
 * `node services/gateway/src/admin/new-epochs.ts [--dry-run]` with MARU_REDIS_URL: a program of its
 * own beside the gateway, for operators who put back a copy of the store. Progress goes to stderr,
 * one line of JSON to stdout: {"opened", "done", "dryRun"}. Exits 0 when every room has its new
 * epoch, 1 when the store failed in between (then run it again), 2 when it was called wrongly.
 */
import { asRedisAddress, openRedis } from '@maru/redis-store';
import { ConfigError, createLogger, readConfig, withFileValues } from '@maru/service-kit';
import { openEpochs } from './open-epochs.ts';

const HELP = `Usage: node services/gateway/src/admin/new-epochs.ts [--dry-run]

Opens a new epoch of every room in the store that MARU_REDIS_URL names. For after a copy of the store was put back,
before clients come: docs/operations.md. May be run again; only what is left is done.

  --dry-run   only count`;

const FIELDS = {
  redisUrl: { env: 'MARU_REDIS_URL', doc: 'the store, as the gateways know it', parse: asRedisAddress, secret: true },
};
const CALL_DEADLINE_MS = 5_000;
const STORE_WAIT_MS = 10_000;
const REPORT_EVERY_MS = 2_000;

async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(HELP);
    return 0;
  }
  const dryRun = args.includes('--dry-run');
  const unknown = args.find((arg) => arg !== '--dry-run');
  if (unknown !== undefined) {
    console.error(`${unknown} is not understood.\n\n${HELP}`);
    return 2;
  }
  const { redisUrl } = readConfig(FIELDS, withFileValues(process.env));
  // Its own words are the lines below; what the connection says goes nowhere.
  const logger = createLogger({ service: 'new-epochs', node: 'admin', level: 'silent' });
  const source = openRedis(redisUrl, { node: 'admin', logger });
  const store = source.open('new-epochs', CALL_DEADLINE_MS);
  try {
    if (!(await store.untilReady(STORE_WAIT_MS))) throw new Error('the store could not be reached');
    let reportedAt = performance.now();
    const tally = await openEpochs({
      store,
      dryRun,
      onPage({ opened, done }) {
        if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
        reportedAt = performance.now();
        console.error(`${opened + done} rooms so far`);
      },
    });
    const { opened, done } = tally;
    console.error(
      `${opened} rooms ${dryRun ? 'would get' : 'got'} a new epoch${done > 0 ? `; ${done} had theirs already` : ''}`,
    );
    console.log(JSON.stringify({ ...tally, dryRun }));
    return 0;
  } catch (error) {
    console.error(`not finished: ${error instanceof Error ? error.message : String(error)}. Run it again; it goes on.`);
    return 1;
  } finally {
    await store.close();
    source.close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 2;
}
