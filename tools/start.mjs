#!/usr/bin/env node
/**
 * `npm start`: installs what is missing, then runs the cluster on the pinned Node.js. It needs only
 * Node.js 20 or newer.
 */
import './bootstrap/require-node.mjs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { describeFailure } from './bootstrap/failure.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { parseStartOptions, START_HELP } from './bootstrap/options.mjs';
import { ensurePostgres } from './bootstrap/postgres.mjs';
import { ensureProgram } from './bootstrap/programs.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';
import { createReporter } from './bootstrap/terminal.mjs';
import { ensureWebBuilt } from './bootstrap/web.mjs';

const reporter = createReporter({ stream: process.stdout, environment: process.env });
/** @type {import('node:child_process').ChildProcess | null} */
let supervisor = null;
let interrupted = false;

// While the supervisor runs, it handles signals. Before that, a signal stops the installation or
// build.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    if (supervisor !== null) {
      supervisor.kill(signal);
      return;
    }
    interrupted = true;
    // The running step stops and cleans up. A wait for the lock of another process needs no
    // clean-up.
    if (!endRunning()) process.exit(130);
  });
}

/** @param {import('./bootstrap/options.mjs').StartOptions & {help: false}} options */
async function prepare(options) {
  const environment = process.env;
  await ensureDependencies({ reporter, environment });
  const node = pinnedNode();
  const redis = await ensureProgram('redis', { reporter, environment });
  const nginx = await ensureProgram('nginx', { reporter, environment });
  const { gateways, port, host, dataDir, archive } = options;
  const postgres = archive ? await ensurePostgres({ reporter, environment, dataDir }) : null;
  const { webRoot } = await ensureWebBuilt({ node, reporter, environment });
  return { gateways, port, host, dataDir, webRoot, programs: { node, redis, nginx, postgres } };
}

try {
  const options = parseStartOptions(process.argv.slice(2), process.env, process.cwd());
  if (options.help) {
    reporter.line(START_HELP);
    process.exit(0);
  }
  const settings = await prepare(options);
  if (interrupted) process.exit(130);
  // In a session of its own, the supervisor gets each signal once, from here, and not also from the
  // terminal. If this process is killed, the channel closes and the supervisor stops the cluster in
  // order.
  const child = spawn(settings.programs.node, [join(ROOT, 'tools/supervisor/src/main.ts'), JSON.stringify(settings)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Node.js caches the compiled TypeScript, also for the services: a second start needs a third
    // less processor time (measured).
    env: { NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.maru/compile-cache'), ...process.env },
  });
  supervisor = child;
  child.once('error', (error) => {
    process.stderr.write(`The supervisor could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  const { text, exitCode } = describeFailure(error);
  if (interrupted) process.exit(130);
  process.stderr.write(`${text}\n`);
  process.exit(exitCode);
}
