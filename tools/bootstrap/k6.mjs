/**
 * Finds k6, or builds the pinned version with Go, once, into node_modules/.cache. The npm package
 * `k6` is an empty placeholder. This module uses only modules of Node.js: a load test needs no npm
 * packages.
 */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from './failure.mjs';
import { findProgram } from './find-program.mjs';
import { waitForLock } from './lock.mjs';
import { describeRun, run, succeeded } from './run.mjs';

export const K6_VERSION = '2.2.0';
const K6_MAJOR_MIN = 2;
const GO_MIN = /** @type {const} */ ([1, 25]);
const GO_PLACES = ['/usr/local/go/bin/go', '/usr/lib/go/bin/go'];
const VERSION_DEADLINE_MS = 20_000;
/**
 * A build took 72 s on two cores with an empty cache. It may take many times longer on a slow
 * machine with a slow network.
 */
const BUILD_DEADLINE_MS = 20 * 60_000;
/** The sources come from the network, which may fail for a moment. */
const FETCHES_MAX = 3;
const FETCH_PAUSE_MS = 3_000;
const PROGRESS_MS = 14_000;
const COMPLAINT_CHARS_MAX = 3_000;

/** k6 sends no usage report, fetches no extensions and listens on no port. */
export const QUIET_K6 = {
  K6_NO_USAGE_REPORT: 'true',
  K6_AUTO_EXTENSION_RESOLUTION: 'false',
  K6_WEB_DASHBOARD_PORT: '-1',
};

const HOW_TO_GET_IT = `To get k6 ${K6_MAJOR_MIN} or newer, either
  install Go ${GO_MIN.join('.')} or newer (https://go.dev/dl/), with which k6 is built once; or
  install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6/); or
  set MARU_K6=/path/to/k6`;

/** Distinguishes "k6 is missing" from "the run failed". */
export const NO_K6_EXIT_CODE = 3;

/** @param {string} reason a sentence */
const noK6 = (reason) => new Failure(`${reason}\n${HOW_TO_GET_IT}`, { exitCode: NO_K6_EXIT_CODE });

/** Where a build of the pinned version is kept. @param {string} root */
export const builtK6Path = (root) => join(root, 'node_modules', '.cache', 'maru', `k6-${K6_VERSION}`, 'k6');

/**
 * Finds an installed k6: the one in MARU_K6, one on the PATH, or the one that was built before.
 * @param {{root: string, environment: NodeJS.ProcessEnv}} options
 * @returns {Promise<{k6: string} | {k6: null, why: string}>}
 * @throws {Failure} if MARU_K6 names something else: the user wants that program
 */
export async function findK6({ root, environment }) {
  const named = environment.MARU_K6;
  if (named !== undefined && named !== '') {
    const version = await k6Version(named);
    if (version === null) throw noK6(`MARU_K6 names ${named}, which is not a working k6.`);
    if (!isRecent(version)) throw noK6(`MARU_K6 names k6 ${version.join('.')}, which is too old.`);
    return { k6: named };
  }
  const onPath = findProgram(['k6'], environment);
  const versionOnPath = onPath === null ? null : await k6Version(onPath);
  if (onPath !== null && versionOnPath !== null && isRecent(versionOnPath)) return { k6: onPath };
  const built = builtK6Path(root);
  if ((await k6Version(built)) !== null) return { k6: built };
  const why = versionOnPath === null ? 'k6 was not found' : `The k6 on the PATH is ${versionOnPath.join('.')}`;
  return { k6: null, why };
}

/**
 * Finds k6, or builds it if `mayBuild`.
 * @param {{root: string, environment: NodeJS.ProcessEnv, mayBuild: boolean, inBackground?: boolean,
 *   say: (line: string) => void}} options `inBackground`: build with low priority, and report only
 *   the end; `say` receives lines about the progress
 * @returns {Promise<string>} the program
 * @throws {Failure} that says how to get one
 */
export async function ensureK6({ root, environment, mayBuild, inBackground = false, say }) {
  const found = await findK6({ root, environment });
  if (found.k6 !== null) return found.k6;
  if (!mayBuild) throw noK6(`${found.why}, and it was not built.`);
  const go = await findGo(environment);
  if (go === null)
    throw noK6(`${found.why}, and Go ${GO_MIN.join('.')} or newer, which could build it, was not found.`);
  say(`${found.why}; building k6 ${K6_VERSION} with Go. This takes a minute or two, once.`);

  const built = builtK6Path(root);
  const folder = dirname(dirname(built));
  await mkdir(folder, { recursive: true });
  // The lock only avoids duplicate work. Each build uses a separate folder and ends with a rename,
  // so concurrent builds are safe.
  const lock = await waitForLock(`${dirname(built)}.lock`, {
    onWait: ({ pid }) => say(`Process ${pid} is already building it; waiting.`),
    waitMs: BUILD_DEADLINE_MS,
  });
  try {
    if ((await k6Version(built)) === null) await buildK6({ go, built, folder, environment, inBackground, say });
  } finally {
    lock?.release();
  }
  return built;
}

/** @param {string} program @returns {Promise<number[] | null>} null if it does not run */
async function k6Version(program) {
  const env = { ...process.env, ...QUIET_K6 };
  const result = await run(program, ['version'], { env, deadlineMs: VERSION_DEADLINE_MS });
  const match = succeeded(result) ? /\bk6 v(\d+)\.(\d+)\.(\d+)/.exec(result.output) : null;
  return match === null ? null : match.slice(1).map(Number);
}

/** @param {number[]} version */
const isRecent = ([major = 0]) => major >= K6_MAJOR_MIN;

/** @param {NodeJS.ProcessEnv} environment @returns {Promise<string | null>} */
async function findGo(environment) {
  const onPath = findProgram(['go'], environment);
  for (const go of onPath === null ? GO_PLACES : [onPath, ...GO_PLACES]) {
    const result = await run(go, ['version'], { env: environment, deadlineMs: VERSION_DEADLINE_MS });
    const match = succeeded(result) ? /go version go(\d+)\.(\d+)/.exec(result.output) : null;
    const [major = 0, minor = 0] = match === null ? [] : match.slice(1).map(Number);
    if (major > GO_MIN[0] || (major === GO_MIN[0] && minor >= GO_MIN[1])) return go;
  }
  return null;
}

/** @param {{go: string, built: string, folder: string, environment: NodeJS.ProcessEnv, inBackground: boolean,
 *   say: (line: string) => void}} options */
async function buildK6({ go, built, folder, environment, inBackground, say }) {
  const stage = await mkdtemp(join(folder, 'k6-build-'));
  // Settings of the user for other modules (a workspace, vendoring, cgo) must not apply here.
  const env = { ...environment, GOFLAGS: '-mod=mod -buildvcs=false -trimpath', GOWORK: 'off', CGO_ENABLED: '0' };
  const step = async (/** @type {string} */ what, /** @type {string[]} */ args, triesLeft = 0) => {
    if (!inBackground) say(`  ${what} …`);
    let shownAtMs = 0;
    const result = await run(go, args, {
      cwd: stage,
      env,
      deadlineMs: BUILD_DEADLINE_MS,
      inBackground,
      onProgress: (elapsedMs) => {
        if (inBackground || elapsedMs - shownAtMs < PROGRESS_MS) return;
        shownAtMs = elapsedMs;
        say(`  ${what} … ${Math.round(elapsedMs / 1000)} s`);
      },
    });
    if (succeeded(result)) return;
    if (triesLeft > 0) {
      say(`  ${what} failed; trying again in ${FETCH_PAUSE_MS / 1000} s`);
      await pause(FETCH_PAUSE_MS);
      return step(what, args, triesLeft - 1);
    }
    const lastOutput = result.output.trim().slice(-COMPLAINT_CHARS_MAX);
    throw noK6(
      `Building k6 failed: go ${args[0]} ${describeRun(result)}.${lastOutput === '' ? '' : `\n${lastOutput}`}`,
    );
  };
  try {
    // `go install …@version` needs the repository of the module. With our own module that requires
    // it, the proxy is enough.
    await writeFile(join(stage, 'go.mod'), `module maru.invalid/k6\n\ngo ${GO_MIN.join('.')}\n`);
    await step('fetching the sources', ['get', '-tool', `go.k6.io/k6/v2@v${K6_VERSION}`], FETCHES_MAX - 1);
    const program = join(stage, basename(built));
    await step('compiling', ['build', '-o', program, 'go.k6.io/k6/v2']);
    if ((await k6Version(program)) === null) throw noK6('k6 was built, but does not run.');
    await mkdir(dirname(built), { recursive: true });
    await rename(program, built);
    say(`k6 ${K6_VERSION} is built.`);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}
