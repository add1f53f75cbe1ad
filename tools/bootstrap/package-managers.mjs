/** The system's package managers: which one is here, whether we may use it, and how to keep it from starting services. */
import { spawnSync } from 'node:child_process';
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
const END_GRACE_MS = 14_000;
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
      // One that is cut while it unpacks leaves the system's list of packages in need of repair.
      endGraceMs: END_GRACE_MS,
      onProgress: (elapsedMs) => reporter.step(program, `${what}, ${Math.round(elapsedMs / 1_000)} s`),
    });
  };
  reporter.step(program, `not found; installing it with ${[...prefix, manager.executable].join(' ')}`);
  if (manager.refresh.length > 0) {
    // A repository that cannot be reached fails the whole refresh, though the one we need may be there: go on.
    await call([manager.executable, ...manager.refresh], REFRESH_DEADLINE_MS, 'still fetching the lists of packages');
  }
  const allow = manager.name === 'apt' && services.length > 0 ? denyServiceStarts(prefix) : () => {};
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
    allow();
    if (manager.name === 'apt') disableServices(prefix, services);
  }
}

/**
 * The small steps around an installation are taken even when we were told to stop in the middle of it.
 * @param {readonly string[]} words
 */
function step(words) {
  const [file = '', ...args] = words;
  spawnSync(file, args, { timeout: 10_000, stdio: 'ignore' });
}

/**
 * Debian starts a service when its package is installed, which would take port 80 or 6379.
 * @param {readonly string[]} prefix
 * @returns {() => void} undoes it
 */
function denyServiceStarts(prefix) {
  // Containers bring one of their own, which says no.
  if (existsSync(POLICY_PATH)) return () => {};
  const draft = join(tmpdir(), `maru-policy-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, policyScript(process.pid), { flag: 'wx', mode: 0o755 });
  step([...prefix, 'install', '-m', '755', draft, POLICY_PATH]);
  rmSync(draft, { force: true });
  return () => step([...prefix, 'rm', '-f', POLICY_PATH]);
}

/**
 * The package also enables its service for the next boot. It was not on this machine before we asked for it, so nobody counts on it.
 * @param {readonly string[]} prefix @param {readonly string[]} services
 */
function disableServices(prefix, services) {
  // Where systemd does not run there is nothing to disable.
  if (!existsSync('/run/systemd/system')) return;
  for (const service of services) {
    if (existsSync(`/lib/systemd/system/${service}.service`))
      step([...prefix, 'systemctl', 'disable', '--now', service]);
  }
}
