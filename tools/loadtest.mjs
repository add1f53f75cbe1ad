/** `npm run loadtest -- NAME`: finds the cluster, finds or builds k6, and runs a scenario of loadtest/scenarios/. */
import './bootstrap/require-node.mjs';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { readClusterState } from './bootstrap/cluster-state.mjs';
import { describeFailure, errorCode, Failure } from './bootstrap/failure.mjs';
import { ensureK6, QUIET_K6 } from './bootstrap/k6.mjs';
import { loadtestHelp, parseLoadtestOptions } from './bootstrap/loadtest-options.mjs';
import { isAlive } from './bootstrap/lock.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';

const SCENARIOS_DIR = join(ROOT, 'loadtest', 'scenarios');
const PROBE_DEADLINE_MS = 5_000;
const CLEAN_UP_MS = 1_000;

/** @param {string} line */
const say = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Each scenario with the first paragraph line of its own opening comment. */
function listScenarios() {
  return readdirSync(SCENARIOS_DIR)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .sort()
    .map((file) => {
      const source = readFileSync(join(SCENARIOS_DIR, file), 'utf8');
      return { name: basename(file, '.ts'), about: /^\/\*\*\s+\*\s+([^\n]*)/.exec(source)?.[1] ?? '' };
    });
}

/** The public address of the cluster that runs here with this data directory, if one does. @param {string} dataDir */
function runningEndpoint(dataDir) {
  const state = readClusterState(dataDir);
  return state !== null && isAlive(state) ? state.endpoint : null;
}

/**
 * Asks for an Engine.IO handshake, which every cluster gives to anybody.
 * @param {string} url
 * @throws {Failure}
 */
async function probe(url) {
  const hint = 'Start one with `npm start`, or name yours with --url http://host:port.';
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
  throw new Failure(`${url} answers ${answer}, but not as a chat cluster does. ${hint}`);
}

/**
 * @param {{program: string, args: string[], environment: NodeJS.ProcessEnv}} options
 * @returns {Promise<number>} its exit code
 */
function runK6({ program, args, environment }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env: environment, stdio: 'inherit' });
    // A terminal's Ctrl-C reaches k6 by itself, and it ends with its summary. What was sent to this process alone is passed on.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/** @returns {Promise<number>} the exit code */
async function main() {
  const scenarios = listScenarios();
  const options = parseLoadtestOptions(process.argv.slice(2), process.env, { cwd: process.cwd(), scenarios });
  if (options.help) {
    process.stdout.write(`${loadtestHelp(scenarios)}\n`);
    return 0;
  }
  const url = options.url ?? runningEndpoint(options.dataDir) ?? `http://localhost:${options.port}`;
  await probe(url);

  let stopped = false;
  const stop = () => {
    stopped = true;
    endRunning();
    // A build that was ended removes its folder and its lock; waiting for another's build has nothing to remove, and no end.
    setTimeout(() => process.exit(130), CLEAN_UP_MS).unref();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const program = await ensureK6({ root: ROOT, environment: process.env, mayBuild: options.mayBuild, say }).catch(
    (error) => {
      throw stopped ? new Failure('Ended before the load test began.', { exitCode: 130 }) : error;
    },
  );
  process.off('SIGINT', stop).off('SIGTERM', stop);

  say(`${options.scenario} against ${url}`);
  return runK6({
    program,
    args: ['run', ...options.k6Arguments, join(SCENARIOS_DIR, `${options.scenario}.ts`)],
    environment: { ...process.env, ...QUIET_K6, ...options.settings, MARU_LOADTEST_URL: url },
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    const { text, exitCode } = describeFailure(error);
    say(text);
    process.exitCode = exitCode;
  },
);
