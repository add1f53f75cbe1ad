/**
 * `npm run test:images`: builds the images with compose, then checks them and a cluster of them.
 * The cluster uses its own compose project and port, and is removed afterwards. Plain JavaScript
 * for Node.js 20 or newer.
 */
import './bootstrap/require-node.mjs';
import { spawnSync } from 'node:child_process';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { Failure } from './bootstrap/failure.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { asksForHelp, environmentWithout, startTool } from './bootstrap/starter.mjs';

const HELP = `npm run test:images [-- --no-build] [-- --only images|compose]

Needs Docker Engine 20.10 or newer with Compose 2.24 or newer, and permission to use it. The first build installs all packages.
Afterwards only the images maru/*:local remain.

  --no-build   use the existing images maru/*:local
  --only       run one of the two parts`;

const PARTS = ['images', 'compose'];
const FILES = { images: 'tests/images/image-checks.ts', compose: 'tests/images/compose-checks.ts' };

/** The reason why Docker cannot be used, or null. */
function whyNoDocker() {
  const works = (/** @type {string[]} */ args) => spawnSync('docker', args, { encoding: 'utf8' });
  const engine = works(['version', '--format', '{{.Server.Version}}']);
  if (engine.error !== undefined) return 'the program `docker` was not found';
  if (engine.status !== 0) return `the Docker engine does not answer: ${engine.stderr.trim().split('\n').at(-1)}`;
  if (works(['compose', 'version']).status !== 0) return '`docker compose` was not found: install the Compose plugin';
  return null;
}

startTool(async (args, handOver, given) => {
  if (asksForHelp(args)) {
    console.log(HELP);
    return 0;
  }
  const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '') : null;
  const known = (/** @type {string} */ arg) => arg === '--no-build' || arg === '--only' || arg === only;
  if (!args.every(known) || (only !== null && !PARTS.includes(only))) throw new Failure(HELP, { exitCode: 2 });
  const why = whyNoDocker();
  if (why !== null) throw new Failure(`The images cannot be tested here: ${why}.\n\n${HELP}`);

  await ensureDependencies(given);
  const run = (/** @type {string} */ program, /** @type {string[]} */ ...words) =>
    handOver(program, words, { cwd: ROOT, environment: environmentWithout('MARU_', 'COMPOSE_') });
  const checked = await run('docker', ...'compose --profile monitoring --profile loadtest config --quiet'.split(' '));
  if (checked !== 0) return checked;
  if (!args.includes('--no-build')) {
    const built = await run('docker', 'compose', 'build');
    if (built !== 0) return built;
  }
  const files = Object.entries(FILES)
    .filter(([part]) => only === null || part === only)
    .map(([, file]) => file);
  return run(pinnedNode(), '--test', '--test-concurrency=1', '--test-reporter=spec', ...files);
});
