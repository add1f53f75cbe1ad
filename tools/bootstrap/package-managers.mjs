/** The system's package managers: which one is here, whether we may use it, and how to keep it from starting services. */
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.mjs';
import { describeRun, run, succeeded } from './run.mjs';

/** @typedef {'apt' | 'dnf' | 'apk' | 'pacman' | 'brew'} ManagerName */
/** @typedef {import('./terminal.mjs').Reporter} Reporter */
/**
 * @typedef {object} Manager
 * @property {ManagerName} name
 * @property {string} executable
 * @property {readonly string[]} refresh arguments that fetch the lists of packages; empty where installing does it
 * @property {readonly string[]} install arguments before the package's name
 * @property {boolean} asRoot whether it wants to run as root; Homebrew refuses to
 */

/** @type {readonly Manager[]} */
const MANAGERS = [
  {
    name: 'apt',
    executable: 'apt-get',
    // Somebody else's apt may hold the lock for a moment (unattended upgrades).
    refresh: ['-o', 'DPkg::Lock::Timeout=120', 'update'],
    install: ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends'],
    asRoot: true,
  },
  { name: 'dnf', executable: 'dnf', refresh: [], install: ['install', '-y'], asRoot: true },
  { name: 'apk', executable: 'apk', refresh: [], install: ['add', '--no-cache'], asRoot: true },
  { name: 'pacman', executable: 'pacman', refresh: [], install: ['-Sy', '--noconfirm', '--needed'], asRoot: true },
  { name: 'brew', executable: 'brew', refresh: [], install: ['install'], asRoot: false },
];

const REFRESH_DEADLINE_MS = 3 * 60_000;
const INSTALL_DEADLINE_MS = 6 * 60_000;
const POLICY_PATH = '/usr/sbin/policy-rc.d';

/** @param {NodeJS.ProcessEnv} environment */
const findManager = (environment) =>
  MANAGERS.find((manager) => findProgram([manager.executable], environment) !== null) ?? null;

/**
 * The command that a person would type.
 * @param {Record<ManagerName, readonly string[]>} packages @param {NodeJS.ProcessEnv} environment
 */
export function manualCommand(packages, environment) {
  const manager = findManager(environment);
  if (manager === null) return `with your system's package manager (${packages.apt[0]})`;
  const words = [manager.executable, ...manager.install.filter((word) => !/^-o$|=|^-y$|^--/.test(word))];
  return `${manager.asRoot ? 'sudo ' : ''}${words.join(' ')} ${packages[manager.name][0]}`;
}

/**
 * What Debian asks before a package starts its service: no, while this process lives. Left behind by a crash it says yes.
 * @param {number} pid
 */
export const policyScript = (pid) => `#!/bin/sh
# Made by Maru's bootstrap, which installs programs to run them itself, not as services of the system.
# It denies starting services while process ${pid} lives, and may be removed after that.
kill -0 ${pid} 2>/dev/null && exit 101
exit 0
`;

/**
 * Installs the first of the alternatives that can be had.
 * @param {{program: string, packages: Record<ManagerName, readonly string[]>, services: readonly string[],
 *   reporter: Reporter, environment: NodeJS.ProcessEnv}} options
 * @returns {Promise<string | null>} why it could not be installed, or null
 */
export async function installPackage({ program, packages, services, reporter, environment }) {
  const manager = findManager(environment);
  if (manager === null) return 'no known package manager is here';
  const isRoot = process.getuid?.() === 0;
  const prefix = !manager.asRoot || isRoot ? [] : ['sudo', '-n'];
  if (prefix.length > 0 && !succeeded(await run('sudo', ['-n', 'true'], { deadlineMs: 5_000 })))
    return 'installing it needs root, and sudo asks for a password';
  if (!manager.asRoot && isRoot) return `${manager.executable} does not run as root`;

  /** @param {readonly string[]} words @param {number} deadlineMs @param {string} what */
  const call = (words, deadlineMs, what) => {
    const [file = '', ...args] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...words];
    return run(file, args, {
      deadlineMs,
      env: environment,
      onProgress: (elapsedMs) => reporter.step(program, `${what}, ${Math.round(elapsedMs / 1_000)} s`),
    });
  };
  reporter.step(program, `not found; installing it with ${[...prefix, manager.executable].join(' ')}`);
  if (manager.refresh.length > 0) {
    // A repository that cannot be reached fails the whole refresh, though the one we need may be there: go on.
    await call([manager.executable, ...manager.refresh], REFRESH_DEADLINE_MS, 'still fetching the lists of packages');
  }
  const allow = manager.name === 'apt' && services.length > 0 ? await denyServiceStarts(call) : async () => {};
  try {
    let problem = 'nothing to install';
    for (const name of packages[manager.name]) {
      const words = [manager.executable, ...manager.install, name];
      const result = await call(words, INSTALL_DEADLINE_MS, `still installing ${name}`);
      if (succeeded(result)) {
        reporter.step(program, `installed (${name})`);
        return null;
      }
      const said = result.output.trim().split('\n').at(-1) ?? '';
      problem = `${manager.executable} install ${name} ${describeRun(result)}: ${said}`;
    }
    return problem;
  } finally {
    await allow();
    if (manager.name === 'apt') await disableServices(call, services);
  }
}

/** @typedef {(words: readonly string[], deadlineMs: number, what: string) => Promise<import('./run.mjs').RunResult>} Call */

/**
 * Debian starts a service when its package is installed, which would take port 80 or 6379.
 * @param {Call} call
 * @returns {Promise<() => Promise<void>>} undoes it
 */
async function denyServiceStarts(call) {
  // Containers bring one of their own, which says no.
  if (existsSync(POLICY_PATH)) return async () => {};
  const draft = join(tmpdir(), `maru-policy-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, policyScript(process.pid), { flag: 'wx', mode: 0o755 });
  await call(['install', '-m', '755', draft, POLICY_PATH], 10_000, 'still preparing');
  rmSync(draft, { force: true });
  return async () => {
    await call(['rm', '-f', POLICY_PATH], 10_000, 'still cleaning up');
  };
}

/**
 * The package also enables its service for the next boot. It was not on this machine before we asked for it, so nobody counts on it.
 * @param {Call} call @param {readonly string[]} services
 */
async function disableServices(call, services) {
  // Where systemd does not run there is nothing to disable.
  if (!existsSync('/run/systemd/system')) return;
  for (const service of services) {
    if (existsSync(`/lib/systemd/system/${service}.service`))
      await call(['systemctl', 'disable', '--now', service], 30_000, `still disabling the service ${service}`);
  }
}
