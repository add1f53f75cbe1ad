/**
 * Runs test files on the Node that runs this program, in the order given, and writes their counts
 * to a file.
 *
 *   node tools/run-test-files.mjs '{"files": [...], "concurrency": 2, "timeoutMs": 60000, "countsFile": "..."}'
 *
 * `node --test` would sort the files by name, and would end on a short file while another core
 * still runs a long one.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const { files, concurrency, timeoutMs, countsFile, globalSetup } = JSON.parse(process.argv[2] ?? '{}');

// With its own signal handling, `node --test` would stop the shared cluster. With `run` that is our
// task.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());

const tests = run({
  files: files.map((/** @type {string} */ file) => resolve(file)),
  concurrency,
  timeout: timeoutMs,
  signal: stop.signal,
  ...(globalSetup === undefined ? {} : { globalSetupPath: resolve(globalSetup) }),
});
tests.on('test:summary', ({ file, counts, success }) => {
  // Each file has a summary of its own. The one without a file is of the whole run.
  if (file !== undefined) return;
  writeFileSync(countsFile, JSON.stringify(counts));
  if (!success) process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
