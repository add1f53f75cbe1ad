/**
 * `npm run test:kube`: sets itself up, then runs tests/kube against the cluster that KUBECONFIG names. Plain
 * JavaScript for any Node ≥ 20. Options are the suite's own; see `--help`. A cluster and kubectl are the user's, and never installed.
 */
import './bootstrap/require-node.mjs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { describeFailure } from './bootstrap/failure.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { endRunning } from './bootstrap/run.mjs';
import { createReporter } from './bootstrap/terminal.mjs';

/** A developer's own settings must not change what is tested. @returns {NodeJS.ProcessEnv} */
function suiteEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('MARU_'));
  return Object.fromEntries(kept);
}

/** @type {import('node:child_process').ChildProcess | null} */
let suite = null;

/** @returns {Promise<number>} its exit code */
async function main() {
  const args = process.argv.slice(2);
  const environment = process.env;
  const given = { reporter: createReporter({ stream: process.stdout, environment }), environment };
  await ensureDependencies(given);
  const node = pinnedNode();
  return new Promise((resolve, reject) => {
    const child = spawn(node, [join(ROOT, 'tests/kube/main.ts'), ...args], {
      // Relative paths are where the command runs; the suite finds the repository by itself.
      cwd: process.env.INIT_CWD ?? process.cwd(),
      env: suiteEnvironment(),
      stdio: 'inherit',
      // In a session of its own it gets each signal from here once, instead of from the terminal as well.
      detached: true,
    });
    suite = child;
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => {
    // Until the suite runs, whatever is being installed or built is ended.
    if (suite !== null) suite.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
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
