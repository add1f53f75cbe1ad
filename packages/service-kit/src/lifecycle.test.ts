import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const LIFECYCLE = new URL('./lifecycle.ts', import.meta.url).href;
const FAILS = "Promise.reject(new Error('planted'))";
const HANGS = 'new Promise(() => {})';
const ENDS = 'Promise.resolve()';

/** Runs a service in its own process, sends the signals, and returns the exit code and the log. */
async function exitOf(service: { drain: string; stop: string }, ...signals: NodeJS.Signals[]) {
  const program = `
    import { runService } from '${LIFECYCLE}';
    const log = (fields, text) => console.log(text ?? fields);
    const logger = { info: log, error: log, fatal: log, flush() {} };
    const service = { drain: () => ${service.drain}, stop: () => ${service.stop} };
    runService(service, { logger, drainDeadlineMs: 300, stopDeadlineMs: 300 });
    setInterval(() => {}, 1_000);
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  const pending = [...signals];
  child.stdout.on('data', (chunk) => {
    log += chunk;
    // Each signal waits for the next line, so that it arrives after the effect of the last one.
    const signal = pending.shift();
    if (signal !== undefined) child.kill(signal);
  });
  const [code] = await once(child, 'exit');
  return { code, log };
}

test('a drain and a stop that succeed exit with 0', async () => {
  assert.equal((await exitOf({ drain: ENDS, stop: FAILS }, 'SIGTERM')).code, 0);
  assert.equal((await exitOf({ drain: FAILS, stop: ENDS }, 'SIGINT')).code, 0);
});

test('a drain or a stop that fails exits with 1', async () => {
  const drain = await exitOf({ drain: FAILS, stop: ENDS }, 'SIGTERM');
  assert.equal(drain.code, 1);
  assert.match(drain.log, /drain failed/);
  const stop = await exitOf({ drain: ENDS, stop: FAILS }, 'SIGINT');
  assert.equal(stop.code, 1);
  assert.match(stop.log, /stop failed/);
});

test('a drain or a stop that passes its deadline exits with 1', async () => {
  const drain = await exitOf({ drain: HANGS, stop: ENDS }, 'SIGTERM');
  assert.equal(drain.code, 1);
  assert.match(drain.log, /drain passed its deadline/);
  const stop = await exitOf({ drain: ENDS, stop: HANGS }, 'SIGINT');
  assert.equal(stop.code, 1);
  assert.match(stop.log, /stop passed its deadline/);
});

test('a second SIGTERM stops at once, and its result decides the exit code', async () => {
  const { code, log } = await exitOf({ drain: HANGS, stop: ENDS }, 'SIGTERM', 'SIGTERM');
  assert.equal(code, 0);
  assert.match(log, /stop done/);
});
