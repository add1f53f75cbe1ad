/**
 * `npm run chat`: the terminal client on the pinned Node.js. Installs what is missing. It keeps the
 * terminal, so that keys, colours and the size of the window work. For the options see `--help`.
 */
import './bootstrap/require-node.mjs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { exitWith } from './bootstrap/failure.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';
import { createReporter } from './bootstrap/terminal.mjs';

/** @type {import('node:child_process').ChildProcess | null} */
let client = null;
let interrupted = false;

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => {
    interrupted = true;
    // The client decides when to end. Before it runs, the signal stops the installation, which
    // cleans up. A wait for the lock of another process needs no clean-up.
    if (client !== null) client.kill(signal);
    else if (!endRunning()) process.exit(130);
  });

/** @returns {Promise<number>} the exit code of the client */
async function run() {
  const environment = process.env;
  // Progress must not mix with lines of JSON.
  const reporter = createReporter({ stream: process.stderr, environment });
  await ensureDependencies({ reporter, environment }).catch((error) => {
    if (!interrupted) throw error;
  });
  if (interrupted) return 130;
  const args = [join(ROOT, 'apps/terminal/src/main.ts'), ...process.argv.slice(2)];
  const child = spawn(pinnedNode(), args, { stdio: 'inherit' });
  client = child;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

await exitWith(run());
