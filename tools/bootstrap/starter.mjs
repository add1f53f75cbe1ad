/**
 * Shared by tools that prepare something and then run one program. The program runs in a session of
 * its own, receives each signal once, and its exit code becomes that of the tool.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { exitWith } from './failure.mjs';
import { endRunning } from './run.mjs';
import { createReporter } from './terminal.mjs';

/**
 * @typedef {{reporter: import('./terminal.mjs').Reporter, environment: NodeJS.ProcessEnv}} Given
 */
/**
 * @typedef {(program: string, args: readonly string[], options?: {cwd?: string, environment?:
 *   NodeJS.ProcessEnv}) => Promise<number>} HandOver resolves with the exit code (128 + the number
 *   of the signal that ended the program). The default working directory is that of the user, so
 *   that relative paths work.
 */

/**
 * The developer's own settings must not change the tests.
 * @param {...string} prefixes
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentWithout(...prefixes) {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))),
  );
}

/** @param {readonly string[]} args */
export const asksForHelp = (args) => args.includes('--help') || args.includes('-h');

/**
 * Runs a tool to its end and sets this process' exit code.
 * @param {(args: string[], handOver: HandOver, given: Given) => Promise<number>} main resolves with
 *   the exit code
 */
export function startTool(main) {
  /** @type {import('node:child_process').ChildProcess | null} */
  let running = null;

  /** @type {HandOver} */
  const handOver = (program, args, { cwd = process.env.INIT_CWD ?? process.cwd(), environment = process.env } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd, env: environment, stdio: 'inherit', detached: true });
      running = child;
      child.once('error', reject);
      child.once('close', (code, signal) => {
        running = null;
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });

  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => {
      // Before the program runs, the signal stops the installation or build.
      if (running !== null) running.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      else if (!endRunning()) process.exit(130);
    });

  const environment = process.env;
  void exitWith(
    main(process.argv.slice(2), handOver, {
      reporter: createReporter({ stream: process.stdout, environment }),
      environment,
    }),
  );
}
