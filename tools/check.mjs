/**
 * `npm run check`: every check that does not run the product, all at once, in less than 20 s. It
 * prints one line for each check, and the output of those that failed.
 *
 *   node tools/check.mjs [--root DIR]
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pinnedNode } from './bootstrap/node.mjs';

const TASK_DEADLINE_MS = 600_000;
const OUTPUT_CHARS_MAX = 20_000;
const here = path.dirname(fileURLToPath(import.meta.url));

/** @typedef {{name: string, command: string[]}} Task */
/** @typedef {{name: string, ok: boolean, output: string, tookMs: number}} Result */

/** The projects of TypeScript, with the folders whose types they check. */
const PROJECTS = {
  '.': 'packages, services, tools, tests',
  'apps/web': 'apps/web',
  'apps/terminal': 'apps/terminal',
  loadtest: 'loadtest',
};

/**
 * @param {string} root
 * @returns {Task[]}
 */
export function checkTasks(root) {
  const bin = (/** @type {string} */ name) => path.join(root, 'node_modules', '.bin', name);
  const script = (/** @type {string} */ name) => path.join(here, name);
  return [
    ...Object.entries(PROJECTS).map(([project, folders]) => ({
      name: `types of ${folders}`,
      command: [bin('tsc'), '--pretty', 'false', '-p', project, ...incremental(root, project)],
    })),
    {
      name: 'format and lint',
      command: [bin('biome'), 'check', '--colors=off', '--max-diagnostics=40', '--error-on-warnings', '.'],
    },
    // dependency-cruiser needs a newer Node than the one that may run this file.
    { name: 'import rules', command: [pinnedNode(), script('check-imports.mjs'), root] },
    { name: 'line lengths', command: [process.execPath, script('check-lines.mjs'), root] },
    { name: 'Redis keys', command: [process.execPath, script('check-keys.mjs'), root] },
    { name: 'dependencies', command: [process.execPath, script('check-dependencies.mjs'), '--root', root] },
    { name: 'manifests', command: [process.execPath, script('check-manifests.mjs'), '--root', root] },
  ];
}

/**
 * A second run checks only what changed: 2 s instead of 8 s.
 * @param {string} root
 * @param {string} project
 */
function incremental(root, project) {
  const cache = path.join(root, 'node_modules', '.cache', 'tsc', `${project.replace(/\W/g, '-')}.tsbuildinfo`);
  return ['--incremental', '--tsBuildInfoFile', cache];
}

/**
 * @param {Task} task
 * @param {string} root
 * @returns {Promise<Result>}
 */
function runTask(task, root) {
  const startedMs = Date.now();
  const [program = '', ...args] = task.command;
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => {
      output += `\nstopped: it took longer than ${TASK_DEADLINE_MS / 1000} s\n`;
      child.kill('SIGKILL');
    }, TASK_DEADLINE_MS);
    const collect = (/** @type {Buffer} */ chunk) => {
      if (output.length < OUTPUT_CHARS_MAX) output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const finish = (/** @type {boolean} */ ok) => {
      clearTimeout(timer);
      resolve({ name: task.name, ok, output: output.trim(), tookMs: Date.now() - startedMs });
    };
    child.on('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

/**
 * Runs all tasks at once. Prints one line for each task, and the output of each task that failed.
 * @param {{tasks: Task[], root: string, print?: (line: string) => void}} options
 * @returns {Promise<{passed: number, failed: number}>}
 */
export async function runCheck({ tasks, root, print = console.log }) {
  const results = await Promise.all(
    tasks.map(async (task) => {
      const result = await runTask(task, root);
      print(`${result.ok ? 'ok  ' : 'FAIL'} ${result.name} (${(result.tookMs / 1000).toFixed(1)} s)`);
      // Printed even if nothing failed, because a skipped check does not prove anything.
      for (const line of result.output.split('\n')) if (line.startsWith('skipped: ')) print(`     ${line}`);
      return result;
    }),
  );
  const failed = results.filter((result) => !result.ok);
  for (const { name, output } of failed) print(`\n== ${name}\n${output}`);
  return { passed: results.length - failed.length, failed: failed.length };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flag = process.argv.indexOf('--root');
  const root = path.resolve(flag === -1 ? path.join(here, '..') : (process.argv[flag + 1] ?? '.'));
  if (!existsSync(path.join(root, 'node_modules', '.bin', 'biome'))) {
    console.error('The dependencies are not installed: run `npm ci` (or `npm test`, which sets itself up).');
    process.exit(1);
  }
  const { failed } = await runCheck({ tasks: checkTasks(root), root });
  console.log(failed === 0 ? '\nall checks passed' : `\n${failed} checks failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
