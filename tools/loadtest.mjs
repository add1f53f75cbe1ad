/**
 * `npm run loadtest -- NAME`: finds the cluster, finds or builds k6, and runs a scenario of
 * loadtest/scenarios/.
 */
import './bootstrap/require-node.mjs';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readClusterState } from './bootstrap/cluster-state.mjs';
import { errorCode, exitWith, Failure } from './bootstrap/failure.mjs';
import { ensureK6, QUIET_K6 } from './bootstrap/k6.mjs';
import { parseLoadtestOptions } from './bootstrap/loadtest-options.mjs';
import { createSteps } from './bootstrap/loadtest-steps.mjs';
import { isAlive } from './bootstrap/lock.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';

const SCENARIOS_DIR = join(ROOT, 'loadtest', 'scenarios');
const CATALOGUE = join(ROOT, 'loadtest', 'scenarios.json');
const PROBE_DEADLINE_MS = 5_000;
const CLEAN_UP_MS = 1_000;

/** @param {string} line */
const say = (line) => {
  process.stderr.write(`${line}\n`);
};

/**
 * All scenarios, with their defaults and the text of their first comment.
 * @returns {import('./bootstrap/loadtest-options.mjs').Scenario[]}
 */
function listScenarios() {
  const catalogue = JSON.parse(readFileSync(CATALOGUE, 'utf8'));
  return Object.entries(catalogue).map(([name, options]) => {
    const source = readFileSync(join(SCENARIOS_DIR, `${name}.ts`), 'utf8');
    const comment = /^\/\*\*\n(.*?)\n \*\//s.exec(source)?.[1] ?? '';
    const [about = '', text = ''] = comment.replace(/^ \* ?/gm, '').split(/\n\n(.*)/s);
    return { name, about, text, options };
  });
}

/**
 * The public address of the running cluster with this data directory, or null.
 * @param {string} dataDir
 */
function runningEndpoint(dataDir) {
  const state = readClusterState(dataDir);
  return state !== null && isAlive(state) ? state.endpoint : null;
}

/**
 * Requests an Engine.IO handshake, which needs no token.
 * @param {string} url
 * @throws {Failure}
 */
async function probe(url) {
  const hint = 'Start one with `npm start`, or give an address with --url http://host:port.';
  let answer = '';
  try {
    const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, {
      signal: AbortSignal.timeout(PROBE_DEADLINE_MS),
    });
    const body = await response.text();
    if (response.ok && body.startsWith('0{')) return;
    answer = `${response.status}`;
  } catch (error) {
    const code = errorCode(error instanceof Error ? error.cause : undefined);
    throw new Failure(`No cluster answers at ${url}${code === undefined ? '' : ` (${code})`}. ${hint}`);
  }
  throw new Failure(`${url} answers ${answer}, which no chat cluster does. ${hint}`);
}

/**
 * @param {{program: string, args: string[], environment: NodeJS.ProcessEnv, onLine: ((line: string)
 *   => void) | null}} options `onLine` receives the standard error of k6 line by line
 * @returns {Promise<number>} its exit code
 */
function runK6({ program, args, environment, onLine }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: environment,
      stdio: ['inherit', 'inherit', onLine === null ? 'inherit' : 'pipe'],
    });
    if (child.stderr !== null && onLine !== null) {
      child.stderr.pipe(process.stderr, { end: false });
      createInterface({ input: child.stderr }).on('line', onLine);
    }
    // Ctrl-C in a terminal reaches k6 directly, which then prints its summary. Pass on signals that
    // only this process received.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM')).on('SIGHUP', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/** @returns {Promise<number>} the exit code */
async function main() {
  const scenarios = listScenarios();
  const options = parseLoadtestOptions(process.argv.slice(2), process.env, { cwd: process.cwd(), scenarios });
  if (options.help) {
    process.stdout.write(`${options.text}\n`);
    return 0;
  }
  const url = options.url ?? runningEndpoint(options.dataDir) ?? `http://localhost:${options.port}`;
  if (options.archive === null) await probe(url);

  let stopped = false;
  const stop = () => {
    stopped = true;
    endRunning();
    // A stopped build removes its folder and its lock. This time limit is for a wait for the build
    // of another process.
    setTimeout(() => process.exit(130), CLEAN_UP_MS).unref();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop).once('SIGHUP', stop);
  const program = await ensureK6({ root: ROOT, environment: process.env, mayBuild: options.mayBuild, say }).catch(
    (error) => {
      throw stopped ? new Failure('Stopped before the load test began.', { exitCode: 130 }) : error;
    },
  );
  process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);

  const script = join(SCENARIOS_DIR, `${options.scenario}.ts`);
  const settings = { ...options.settings, MARU_LOADTEST_URL: url };
  const environment = { ...process.env, ...QUIET_K6, ...options.k6Environment, ...settings };
  if (options.archive !== null) {
    // An archive contains only variables that are given by name.
    const given = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const args = ['archive', ...options.k6Arguments, ...given, '--archive-out', options.archive, script];
    return runK6({ program, args, environment, onLine: null });
  }

  say(`${options.scenario} against ${url}`);
  const steps = options.scenario === 'scale-out' ? createSteps({ ...options, say }) : null;
  const args = ['run', ...options.k6Arguments, script];
  const code = await runK6({ program, args, environment, onLine: steps?.onLine ?? null });
  const failed = await steps?.done();
  if (failed !== undefined && code === 0) throw new Failure(`All thresholds passed, but a step failed: ${failed}`);
  return code;
}

void exitWith(main());
