/**
 * The steps of `scale-out`: the scenario prints when to add or drain a gateway, and this module
 * does it.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { run, succeeded } from './run.mjs';

const CLUSTER_CLI = join(ROOT, 'tools', 'cluster.mjs');
const CLUSTER_DEADLINE_MS = 60_000;
const STEP = /\bmaru-step (add|drain)\b/;

/** @typedef {'add' | 'drain'} Step */

/**
 * The gateway to drain: first the oldest, which has the most clients, then the newest.
 * @param {{processes: Array<{name: string, kind: string, state: string}>}} status the output of
 *   `npm run cluster -- status --json`
 * @param {number} drains the number of earlier drains
 * @returns {string | undefined}
 */
export function gatewayToDrain(status, drains) {
  const up = status.processes.filter(({ kind, state }) => kind === 'gateway' && state === 'up');
  return (drains === 0 ? up.at(0) : up.at(-1))?.name;
}

/**
 * @param {{mayStep: boolean, dataDir: string, onStep: string | null, say: (line: string) => void}}
 *   options
 * @returns {{onLine: (line: string) => void, done: () => Promise<string | undefined>}} `onLine`
 *   takes the lines of k6; `done` waits for running steps, and returns the first error, if any
 */
export function createSteps({ mayStep, dataDir, onStep, say }) {
  let drains = 0;
  /** @type {string | undefined} */
  let failure;
  let queue = Promise.resolve();

  /** @param {string[]} words */
  async function cluster(...words) {
    const args = [CLUSTER_CLI, ...words, '--data-dir', dataDir];
    const result = await run(process.execPath, args, { deadlineMs: CLUSTER_DEADLINE_MS });
    if (!succeeded(result)) throw new Error(`npm run cluster -- ${words.join(' ')}: ${result.output.trim()}`);
    return result.output;
  }

  /** @param {Step} step */
  async function take(step) {
    if (onStep !== null) return runCommand(onStep, step);
    // The operator reads the line and does it by hand.
    if (!mayStep) return;
    if (step === 'add') {
      say('step: npm run cluster -- add gateway');
      await cluster('add', 'gateway');
      return;
    }
    const name = gatewayToDrain(JSON.parse(await cluster('status', '--json')), drains);
    if (name === undefined) throw new Error('there is no gateway to drain');
    drains += 1;
    say(`step: npm run cluster -- drain ${name}`);
    await cluster('drain', name);
  }

  return {
    onLine(line) {
      const step = /** @type {Step | undefined} */ (STEP.exec(line)?.[1]);
      if (step === undefined) return;
      queue = queue
        .then(() => take(step))
        .catch((error) => {
          failure ??= error instanceof Error ? error.message : String(error);
          say(`step ${step} failed: ${failure}`);
        });
    },
    async done() {
      await queue;
      return failure;
    },
  };
}

/** @param {string} command @param {Step} step @returns {Promise<void>} */
function runCommand(command, step) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: 'inherit', env: { ...process.env, MARU_STEP: step } });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`--on-step ended with ${code}`))));
  });
}
