/**
 * `npm test`: sets itself up, then runs every stage, from the cheapest to the dearest, and ends with one line `N passed, N failed`.
 * Plain JavaScript for any Node ≥ 20; what it starts runs on the pinned one. Everything that a stage starts works below a directory
 * of its own, so that a process left behind is seen, named, ended, and counted as a failure.
 */
import './bootstrap/require-node.mjs';
import { rmSync } from 'node:fs';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { describeFailure, exitWith, Failure } from './bootstrap/failure.mjs';
import { ensureK6 } from './bootstrap/k6.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ensureProgram } from './bootstrap/programs.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';
import { createReporter } from './bootstrap/terminal.mjs';
import { ensureWebBuilt } from './bootstrap/web.mjs';
import { checkTasks, runCheck } from './check.mjs';
import { makeTestFolder } from './test-folder.mjs';
import { endStage, findLeftovers, listTests, runStage, STAGES } from './test-stages.mjs';

/** @typedef {import('./test-stages.mjs').Counts} Counts */

const HELP = `npm test [-- --only STAGE[,STAGE]] [-- --help]

Stages, in this order:
  check         format, lint, types, import rules (npm run check)
  unit          the parts, each by itself
  integration   on a real Redis of the tests' own
  e2e           a whole cluster through nginx: socket.io-client, raw sockets, HTTP, Chromium
  faults        processes killed, stopped and cut under clients that keep logs: the short run of npm run test:faults
  load          the k6 smoke scenario, where k6 can be had

Settings:
  MARU_TEST_POLLING_MS   how long polling-only clients chat (20000; the contract's minute is 60000)
  MARU_TEST_SEED         repeats the random tests of an earlier run
  TMPDIR                 where the tests keep their files (/dev/shm where it has 256 MiB free, else the system's choice)`;

/** @param {string[]} args @returns {{help: true} | {help: false, only: string[]}} */
function parseArguments(args) {
  const names = STAGES.map(({ name }) => name);
  /** @type {string[]} */
  const only = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--help' || arg === '-h') return { help: true };
    const value = arg === '--only' ? (args[++index] ?? '') : arg.startsWith('--only=') ? arg.slice(7) : undefined;
    if (value === undefined) throw new Failure(`${arg} is not understood.\n\n${HELP}`, { exitCode: 2 });
    for (const name of value.split(',')) {
      if (!names.includes(name))
        throw new Failure(`There is no stage ${name || '""'}: they are ${names.join(', ')}.`, { exitCode: 2 });
      only.push(name);
    }
  }
  return { help: false, only: only.length === 0 ? names : only };
}

/** A developer's own settings must not change what is tested. @param {string} runDir @returns {NodeJS.ProcessEnv} */
function stageEnvironment(runDir) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MARU_') || name.startsWith('MARU_TEST_'),
  );
  return { ...Object.fromEntries(kept), TMPDIR: runDir, MARU_K6: process.env.MARU_K6 };
}

/** @returns {Promise<number>} the exit code */
async function main() {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const { only } = options;
  const environment = process.env;
  const reporter = createReporter({ stream: process.stdout, environment });
  const startedMs = Date.now();
  const { path: runDir, inMemory } = makeTestFolder({ environment });
  let stopped = false;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => {
      stopped = true;
      endRunning();
      endStage();
    });

  /** @type {Counts} */
  const total = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const summary = [];
  /** @type {string[]} */
  const notRun = [];
  /** @param {string} name @param {() => Promise<Counts>} work */
  const stage = async (name, work) => {
    if (stopped) return;
    const stageStartedMs = Date.now();
    console.log(`\n== ${name}`);
    const counts = await work();
    const left = await findLeftovers(runDir);
    for (const process of left) reporter.trouble('left behind', process);
    counts.failed += left.length;
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    const seconds = ((Date.now() - stageStartedMs) / 1000).toFixed(0);
    summary.push(
      `${name.padEnd(12)} ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${seconds} s`,
    );
  };

  try {
    console.log('== set-up');
    reporter.step(
      'files',
      `${runDir}${inMemory ? ', in memory' : '; a disk that stalls for 0.8 s fails what is sent then'}`,
    );
    const given = { reporter, environment };
    await ensureDependencies(given);
    const node = pinnedNode();
    const needsCluster = only.includes('e2e') || only.includes('faults') || only.includes('load');
    if (needsCluster || only.includes('unit') || only.includes('integration')) {
      await ensureProgram('redis', given);
      await ensureProgram('nginx', given);
    }
    if (needsCluster) await ensureWebBuilt({ node, ...given });
    if (only.includes('e2e'))
      await ensureProgram('chromium', given).catch((error) => {
        if (!(error instanceof Failure)) throw error;
        notRun.push(`the tests in a browser: ${error.message}`);
      });
    if (only.includes('unit'))
      await ensureProgram('promtool', given).catch((error) => {
        if (!(error instanceof Failure)) throw error;
        notRun.push(`the tests of the alerts: ${error.message}`);
      });
    if (only.includes('load'))
      await ensureK6({ root: ROOT, environment, mayBuild: true, say: (line) => reporter.step('k6', line) }).catch(
        (error) => {
          if (!(error instanceof Failure)) throw error;
          notRun.push(`the k6 smoke scenario: ${error.message}`);
          only.splice(only.indexOf('load'), 1);
        },
      );

    for (const { name, ...how } of STAGES) {
      if (!only.includes(name)) continue;
      if (name === 'check')
        await stage(name, async () => ({ ...(await runCheck({ tasks: checkTasks(ROOT), root: ROOT })), skipped: 0 }));
      else {
        const files = listTests(ROOT, name);
        if (files.length === 0) summary.push(`${name.padEnd(12)} no test files`);
        else await stage(name, () => runStage({ node, files, runDir, environment: stageEnvironment(runDir), ...how }));
      }
    }
  } catch (error) {
    console.error(`\n${describeFailure(error).text}`);
    total.failed++;
  } finally {
    rmSync(runDir, { recursive: true, force: true });
  }
  if (stopped) {
    console.error('\nended by a signal');
    total.failed++;
  }
  console.log(`\n== summary (${((Date.now() - startedMs) / 1000).toFixed(0)} s)\n${summary.join('\n')}`);
  for (const reason of notRun) console.log(`not run: ${reason}`);
  // CI reads this line; it stands alone.
  console.log(
    `\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
  );
  return total.failed === 0 ? 0 : 1;
}

void exitWith(main());
