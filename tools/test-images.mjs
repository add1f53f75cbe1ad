/**
 * `npm run test:images`: builds the images with compose, then looks at them and at a cluster made of them, in a compose project and on a port
 * of its own, which are gone afterwards. Plain JavaScript for any Node ≥ 20.
 */
import './bootstrap/require-node.mjs';
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { describeFailure, Failure } from './bootstrap/failure.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';
import { createReporter } from './bootstrap/terminal.mjs';

const HELP = `npm run test:images [-- --no-build] [-- --only images|compose]

Needs Docker Engine 20.10 or newer with Compose 2.24 or newer, and the right to use it. The first build installs all packages.
Leaves the images maru/*:local, and nothing else.

  --no-build   takes the images maru/*:local that are there
  --only       one of the two parts`;

const PARTS = ['images', 'compose'];
const FILES = { images: 'tests/images/image-checks.ts', compose: 'tests/images/compose-checks.ts' };

/** A developer's own settings must not change what is tested. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('MARU_') && !name.startsWith('COMPOSE_')),
);

/** @type {import('node:child_process').ChildProcess | null} */
let running = null;

/** @param {string} program @param {string[]} args @returns {Promise<number>} its exit code */
function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env: environment, stdio: 'inherit', detached: true });
    running = child;
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/** Why there is no Docker to use, or null. */
function whyNoDocker() {
  const works = (/** @type {string[]} */ args) => spawnSync('docker', args, { encoding: 'utf8' });
  const engine = works(['version', '--format', '{{.Server.Version}}']);
  if (engine.error !== undefined) return 'the program `docker` is not there';
  if (engine.status !== 0) return `no Docker engine answers: ${engine.stderr.trim().split('\n').at(-1)}`;
  if (works(['compose', 'version']).status !== 0) return '`docker compose` is not there: install the Compose plugin';
  return null;
}

/** @returns {Promise<number>} */
async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(HELP);
    return 0;
  }
  const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '') : null;
  const known = (/** @type {string} */ arg) => arg === '--no-build' || arg === '--only' || arg === only;
  if (!args.every(known) || (only !== null && !PARTS.includes(only))) throw new Failure(HELP, { exitCode: 2 });
  const why = whyNoDocker();
  if (why !== null) throw new Failure(`The images cannot be tested here: ${why}.\n\n${HELP}`);

  await ensureDependencies({
    reporter: createReporter({ stream: process.stdout, environment: process.env }),
    environment: process.env,
  });
  const profiles = ['--profile', 'monitoring', '--profile', 'loadtest'];
  const checked = await run('docker', ['compose', ...profiles, 'config', '--quiet']);
  if (checked !== 0) return checked;
  if (!args.includes('--no-build')) {
    const built = await run('docker', ['compose', 'build']);
    if (built !== 0) return built;
  }
  const files = Object.entries(FILES)
    .filter(([part]) => only === null || part === only)
    .map(([, file]) => file);
  return run(pinnedNode(), ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files]);
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => {
    if (running?.pid !== undefined && running.exitCode === null) process.kill(-running.pid, signal);
    else if (!endRunning()) process.exit(130);
  });

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    const { text, exitCode } = describeFailure(error);
    console.error(text);
    process.exitCode = exitCode;
  },
);
