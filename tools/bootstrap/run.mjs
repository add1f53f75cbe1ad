/** Runs a program to its end, with a deadline, and keeps the end of its output. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * @typedef {{outcome: 'exit', code: number, output: string}
 *   | {outcome: 'signal', signal: string, output: string}
 *   | {outcome: 'timeout', output: string}
 *   | {outcome: 'missing', output: string}} RunResult
 */

const OUTPUT_KEPT_CHARS = 16_384;
const PROGRESS_EVERY_MS = 5_000;

const END_GRACE_MS = 2_000;

/**
 * The running programs, and how long each may take to stop.
 * @type {Map<import('node:child_process').ChildProcess, number>}
 */
const running = new Map();
let ended = false;

/**
 * Each child leads a process group, so that its own children (helpers of npm and apt) end with it.
 * @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal
 */
function endGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has just ended.
  }
}

/**
 * Gives a program the lowest priority. Linux may schedule each session as a group with a priority
 * of its own (sched(7), "The autogroup feature"). The priority of a process then counts only among
 * the processes of its session.
 * @param {number} pid leads a session
 */
function yieldToOthers(pid) {
  setPriority(pid, constants.priority.PRIORITY_LOW);
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW));
  } catch {
    // This system has no such groups, or the program has just ended.
  }
}

/**
 * Stops all programs that `run` started, kills them after a grace period, and starts no more. For
 * signal handlers.
 * @returns {boolean} whether anything was running
 */
export function endRunning() {
  ended = true;
  for (const [child, graceMs] of running) {
    endGroup(child, 'SIGTERM');
    setTimeout(() => endGroup(child, 'SIGKILL'), graceMs).unref();
  }
  return running.size > 0;
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, deadlineMs: number, endGraceMs?: number,
 *   inBackground?: boolean, onProgress?: (elapsedMs: number) => void, onOutput?: (text: string) =>
 *   void}} options `onProgress` is called every 5 s; `endGraceMs` is the time to stop before the
 *   kill (2 s); `inBackground` runs it with low priority
 * @returns {Promise<RunResult>}
 */
export function run(file, args, options) {
  if (ended) return Promise.resolve({ outcome: 'signal', signal: 'SIGTERM', output: '' });
  return new Promise((resolve) => {
    const startedAtMs = Date.now();
    let output = '';
    let timedOut = false;
    const child = spawn(file, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.set(child, options.endGraceMs ?? END_GRACE_MS);
    if (options.inBackground === true && child.pid !== undefined) yieldToOthers(child.pid);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output = (output + text).slice(-OUTPUT_KEPT_CHARS);
        options.onOutput?.(text);
      });
    }
    const progress = setInterval(() => options.onProgress?.(Date.now() - startedAtMs), PROGRESS_EVERY_MS);
    const deadline = setTimeout(() => {
      timedOut = true;
      endGroup(child, 'SIGKILL');
    }, options.deadlineMs);
    /** @param {RunResult} result */
    const settle = (result) => {
      clearInterval(progress);
      clearTimeout(deadline);
      running.delete(child);
      resolve(result);
    };
    child.once('error', (error) => settle({ outcome: 'missing', output: error.message }));
    child.once('close', (code, signal) => {
      if (timedOut) settle({ outcome: 'timeout', output });
      else if (signal !== null) settle({ outcome: 'signal', signal, output });
      else settle({ outcome: 'exit', code: code ?? 1, output });
    });
  });
}

/** @param {RunResult} result */
export const succeeded = (result) => result.outcome === 'exit' && result.code === 0;

/**
 * The outcome, as the end of a sentence.
 * @param {RunResult} result
 */
export function describeRun(result) {
  switch (result.outcome) {
    case 'exit':
      return `ended with exit code ${result.code}`;
    case 'signal':
      return `was ended by ${result.signal}`;
    case 'timeout':
      return 'did not end in time';
    case 'missing':
      return `could not be run (${result.output})`;
  }
}
