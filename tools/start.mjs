#!/usr/bin/env node
/** `npm start`: brings the clone to where it can run, then runs the cluster with the pinned Node. Needs Node >= 20 and nothing else. */
import './bootstrap/require-node.mjs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { describeFailure } from './bootstrap/failure.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { parseStartOptions, START_HELP } from './bootstrap/options.mjs';
import { ensureProgram } from './bootstrap/programs.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';
import { createReporter } from './bootstrap/terminal.mjs';
import { ensureWebBuilt } from './bootstrap/web.mjs';

const reporter = createReporter({ stream: process.stdout, environment: process.env });
/** @type {import('node:child_process').ChildProcess | null} */
let supervisor = null;
let interrupted = false;

// While the supervisor runs, it decides what a signal means. Before that, whatever is being installed or built is ended.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    if (supervisor !== null) {
      supervisor.kill(signal);
      return;
    }
    interrupted = true;
    // What it was doing ends first and is tidied up after; waiting for another's lock is nothing to tidy up.
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
  const { webRoot } = await ensureWebBuilt({ node, reporter, environment });
  const { gateways, port, host, dataDir } = options;
  return { gateways, port, host, dataDir, webRoot, programs: { node, redis, nginx } };
}

try {
  const options = parseStartOptions(process.argv.slice(2), process.env, process.cwd());
  if (options.help) {
    reporter.line(START_HELP);
    process.exit(0);
  }
  const settings = await prepare(options);
  if (interrupted) process.exit(130);
  // In a session of its own, it gets each signal from here once, instead of from the terminal as well. When this process is
  // killed, the channel is lost and the supervisor ends the cluster in order.
  const child = spawn(settings.programs.node, [join(ROOT, 'tools/supervisor/src/main.ts'), JSON.stringify(settings)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // What Node makes of our TypeScript is kept, also for the services: a second start costs a third less of the processor (tried).
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
