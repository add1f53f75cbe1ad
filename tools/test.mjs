/**
 * `npm test`: sets itself up, runs every stage, and ends with one line `N passed, N failed`. It is
 * plain JavaScript for any Node ≥ 20; the tests run on the pinned Node. All files of a run are
 * below one folder: a process that still uses it after its stage was left behind, and counts as a
 * failure.
 */
import './bootstrap/require-node.mjs';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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
import { findLeftovers } from './test-leftovers.mjs';
import { runStage, stopTests } from './test-runner.mjs';
import { groupTests, PHASES, STAGES } from './test-stages.mjs';

/** @typedef {import('./test-runner.mjs').Counts} Counts */
/**
 * @typedef {{reporter: import('./bootstrap/terminal.mjs').Reporter, environment:
 *   NodeJS.ProcessEnv}} Given
 */

const HELP = `npm test [-- --only STAGE[,STAGE]] [-- --help]

Stages, in this order; check runs beside unit, faults and load beside e2e:
  check         format, lint, types, import rules (npm run check)
  unit          each part alone
  integration   parts together, on a real Redis; attacks on gateways behind nginx
  e2e           a whole cluster behind nginx: socket.io-client, raw sockets, HTTP, Chromium
  faults        processes killed, paused and cut off under load: the short runs of npm run test:faults and test:security
  load          the k6 smoke scenario, if k6 is installed or can be built

Settings:
  MARU_TEST_POLLING_MS   how long the polling-only clients chat (20000; the contract's minute is 60000)
  MARU_TEST_FUZZ_PACKETS how many packets the fuzzer sends (10000; before a release 100000)
  MARU_TEST_SEED         repeats the random tests of an earlier run
  TMPDIR                 the folder for files of the tests (default: /dev/shm if it has 256 MiB free, else the system's)`;

/** @param {string[]} args @returns {{help: true} | {help: false, only: string[]}} */
function parseArguments(args) {
  const names = STAGES.map(({ name }) => name);
  /** @type {string[]} */
  const only = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--help' || arg === '-h') return { help: true };
    const value = arg === '--only' ? (args[++index] ?? '') : arg.startsWith('--only=') ? arg.slice(7) : undefined;
    if (value === undefined) throw new Failure(`Unknown option: ${arg}\n\n${HELP}`, { exitCode: 2 });
    for (const name of value.split(',')) {
      if (!names.includes(name))
        throw new Failure(`Unknown stage: ${name || '""'}. The stages are ${names.join(', ')}.`, { exitCode: 2 });
      only.push(name);
    }
  }
  return { help: false, only: only.length === 0 ? names : only };
}

/**
 * The developer's own settings must not change the tests.
 * @param {string} runDir
 * @param {string} folder for files of the stage
 * @returns {NodeJS.ProcessEnv}
 */
function stageEnvironment(runDir, folder) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MARU_') || name.startsWith('MARU_TEST_'),
  );
  return {
    ...Object.fromEntries(kept),
    TMPDIR: folder,
    MARU_K6: process.env.MARU_K6,
    // The tests start hundreds of processes from the same files.
    NODE_COMPILE_CACHE: join(runDir, 'compile-cache'),
  };
}

/**
 * The results of a run: counts of all stages, a line for each stage, and the reasons why tests did
 * not run.
 */
class Results {
  /** @type {Counts} */
  total = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  #stages = [];
  /** @type {string[]} */
  #notRun = [];
  #startedMs = Date.now();

  /** @param {string} name @param {Counts} counts @param {number} tookMs */
  add(name, counts, tookMs) {
    this.total.passed += counts.passed;
    this.total.failed += counts.failed;
    this.total.skipped += counts.skipped;
    const figures = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    this.#stages.push(`${name.padEnd(12)} ${figures}, ${(tookMs / 1000).toFixed(0)} s`);
  }

  /**
   * @param {string} what
   * @param {unknown} error
   * @returns {false}
   * @throws the error, unless it is a Failure
   */
  notRun(what, error) {
    if (!(error instanceof Failure)) throw error;
    this.#notRun.push(`${what}: ${error.message}`);
    return false;
  }

  print() {
    const { passed, failed, skipped } = this.total;
    console.log(`\n== summary (${((Date.now() - this.#startedMs) / 1000).toFixed(0)} s)\n${this.#stages.join('\n')}`);
    for (const reason of this.#notRun) console.log(`not run: ${reason}`);
    // CI reads this line. It stands alone.
    console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}

/**
 * Installs what the stages need.
 * @param {readonly string[]} only @param {Given} given @param {Results} results
 * @returns {Promise<{node: string, k6Ready: Promise<boolean>}>} a build of k6 goes on while the
 *   other stages run
 */
async function setUp(only, given, results) {
  const { reporter, environment } = given;
  await ensureDependencies(given);
  const node = pinnedNode();
  const needsCluster = only.includes('e2e') || only.includes('faults') || only.includes('load');
  if (needsCluster || only.includes('unit') || only.includes('integration')) {
    await ensureProgram('redis', given);
    await ensureProgram('nginx', given);
    await ensureProgram('postgres', given);
  }
  if (only.includes('integration') || only.includes('e2e'))
    await ensureProgram('slapd', given).catch((error) => results.notRun('the tests of a directory', error));
  if (needsCluster) await ensureWebBuilt({ node, ...given });
  if (only.includes('e2e'))
    await ensureProgram('chromium', given).catch((error) => results.notRun('the tests in a browser', error));
  if (only.includes('unit'))
    await ensureProgram('promtool', given).catch((error) => results.notRun('the tests of the alerts', error));
  const say = (/** @type {string} */ line) => reporter.step('k6', line);
  const k6Ready = only.includes('load')
    ? ensureK6({ root: ROOT, environment, mayBuild: true, inBackground: true, say }).then(
        () => true,
        (error) => results.notRun('the k6 smoke scenario', error),
      )
    : Promise.resolve(false);
  // The stage `load` awaits it. If another stage throws first, this rejection is not the one to
  // report.
  k6Ready.catch(() => {});
  return { node, k6Ready };
}

/**
 * @param {{only: readonly string[], runDir: string, isStopped: () => boolean, given: Given,
 *   results: Results}} options
 */
async function runStages({ only, runDir, isStopped, given, results }) {
  const { node, k6Ready } = await setUp(only, given, results);

  /** @param {string} name @param {(line: string) => void} print @returns {Promise<Counts>} */
  const work = async (name, print) => {
    const stage = STAGES.find((one) => one.name === name);
    if (stage === undefined || stage.groups.length === 0)
      return { ...(await runCheck({ tasks: checkTasks(ROOT), root: ROOT, print })), skipped: 0 };
    // A folder of its own shows which processes the stage left behind.
    const folder = join(runDir, name);
    mkdirSync(folder);
    const output = print === console.log ? 'live' : print;
    const environment = stageEnvironment(runDir, folder);
    const counts = await runStage({
      ...stage,
      ...{ node, runDir: folder, environment, output, groups: groupTests(ROOT, stage) },
    });
    const left = await findLeftovers(folder);
    for (const process of left) given.reporter.trouble('left behind', process);
    return { ...counts, failed: counts.failed + left.length };
  };
  /** Shows the output of the first lane at once. @param {string} name @param {boolean} isFirst */
  const runOne = async (name, isFirst) => {
    if (isStopped() || (name === 'load' && !(await k6Ready))) return;
    const startedMs = Date.now();
    /** @type {string[]} */
    const lines = [];
    const print = isFirst ? console.log : (/** @type {string} */ line) => lines.push(line);
    print(`\n== ${name}`);
    results.add(name, await work(name, print), Date.now() - startedMs);
    for (const line of lines) console.log(line);
  };
  for (const phase of PHASES) {
    const lanes = phase.map((lane) => lane.filter((name) => only.includes(name))).filter((lane) => lane.length > 0);
    await Promise.all(
      lanes.map(async (lane, index) => {
        for (const name of lane) await runOne(name, index === 0);
      }),
    );
  }
}

/** @returns {Promise<number>} the exit code */
async function main() {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const environment = process.env;
  const reporter = createReporter({ stream: process.stdout, environment });
  const results = new Results();
  const { path: runDir, inMemory } = makeTestFolder({ environment });
  let stopped = false;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => {
      stopped = true;
      endRunning();
      stopTests();
    });
  console.log('== set-up');
  const onDisk = '; tests fail if this disk stalls for 0.8 s';
  reporter.step('files', `${runDir}${inMemory ? ', in memory' : onDisk}`);
  const given = { reporter, environment };
  try {
    await runStages({ only: options.only, runDir, isStopped: () => stopped, given, results });
  } catch (error) {
    console.error(`\n${describeFailure(error).text}`);
    results.total.failed++;
  } finally {
    // A build in the background and the other lanes, if a stage failed.
    endRunning();
    stopTests();
    rmSync(runDir, { recursive: true, force: true });
  }
  if (stopped) {
    console.error('\nstopped by a signal');
    results.total.failed++;
  }
  results.print();
  return results.total.failed === 0 ? 0 : 1;
}

void exitWith(main());
