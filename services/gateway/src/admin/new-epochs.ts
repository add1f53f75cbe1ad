/**
 * `node services/gateway/src/admin/new-epochs.ts [--dry-run]` with MARU_REDIS_URL: a separate
 * program for operators who have restored a copy of the store. Progress goes to stderr, one line of
 * JSON to stdout: {"opened", "done", "dryRun"}. Exit codes: see `runCommand`.
 */
import { ConfigError } from '@maru/service-kit';
import { runCommand } from './command.ts';
import { openEpochs } from './open-epochs.ts';

const HELP = `Usage: node services/gateway/src/admin/new-epochs.ts [--dry-run]

Opens a new epoch of every room in the store that MARU_REDIS_URL names. For after a copy of the store was put back,
before clients come: docs/operations.md. May be run again; only what is left is done.

  --dry-run   only count`;

const REPORT_EVERY_MS = 2_000;

await runCommand({
  name: 'new-epochs',
  help: HELP,
  parse(args) {
    const unknown = args.find((arg) => arg !== '--dry-run');
    if (unknown !== undefined) throw new ConfigError(`${unknown} is not a known argument.\n\n${HELP}`);
    return { dryRun: args.length > 0 };
  },
  async run(store, { dryRun }) {
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
  },
});
