/**
 * `npm run bench`: sets itself up, then measures with bench/ on the pinned Node. Plain JavaScript for any Node ≥ 20. Options are the bench's
 * own; see `--help`.
 */
import './bootstrap/require-node.mjs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { describeFailure } from './bootstrap/failure.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ensureProgram } from './bootstrap/programs.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';
import { createReporter } from './bootstrap/terminal.mjs';

/** @type {import('node:child_process').ChildProcess | null} */
let bench = null;

/** @returns {Promise<number>} its exit code */
async function main() {
  const args = process.argv.slice(2);
  const environment = process.env;
  const given = { reporter: createReporter({ stream: process.stdout, environment }), environment };
  await ensureDependencies(given);
  const node = pinnedNode();
  if (!args.includes('--help') && !args.includes('-h')) {
    await ensureProgram('redis', given);
    await ensureProgram('nginx', given);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(node, [join(ROOT, 'bench/src/main.ts'), ...args], {
      // Relative paths are where the command runs; the bench finds the repository by itself.
      cwd: process.env.INIT_CWD ?? process.cwd(),
      stdio: 'inherit',
      // In a session of its own it gets each signal from here once, instead of from the terminal as well.
      detached: true,
    });
    bench = child;
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => {
    // Until the bench runs, whatever is being installed is ended.
    if (bench !== null) bench.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
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
