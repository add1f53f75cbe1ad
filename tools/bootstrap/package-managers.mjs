/**
 * Package managers of the system: finds one, decides whether we may use it, and prevents it from
 * starting services.
 */
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
 * @property {readonly string[]} refresh arguments that update the package lists; empty if `install`
 *   does it
 * @property {readonly string[]} install arguments before the package's name
 * @property {boolean} asRoot whether it must run as root; Homebrew must not
 */

/** @type {readonly Manager[]} */
const MANAGERS = [
  {
    name: 'apt',
    executable: 'apt-get',
    // Another apt may hold the lock for a moment (unattended upgrades).
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
 * The command for the user to type.
 * @param {Record<ManagerName, readonly string[]>} packages @param {NodeJS.ProcessEnv} environment
 */
export function manualCommand(packages, environment) {
  const manager = findManager(environment);
  if (manager === null) return `with your system's package manager (${packages.apt[0]})`;
  const words = [manager.executable, ...manager.install.filter((word) => !/^-o$|=|^-y$|^--/.test(word))];
  return `${manager.asRoot ? 'sudo ' : ''}${words.join(' ')} ${packages[manager.name][0]}`;
}

/**
 * The script that Debian asks before a package starts its service. It answers no while this process
 * lives. If a crash leaves it behind, it answers yes.
 * @param {number} pid
 */
export const policyScript = (pid) => `#!/bin/sh
# Created by Maru, which installs programs to run them itself, not as services of the system.
# It denies starting services while process ${pid} lives, and may be removed after that.
kill -0 ${pid} 2>/dev/null && exit 101
exit 0
`;

/**
 * Installs the first alternative that is available.
 * @param {{program: string, packages: Record<ManagerName, readonly string[]>, services: readonly
 *   string[], reporter: Reporter, environment: NodeJS.ProcessEnv}} options
 * @returns {Promise<string | null>} the reason of a failure, or null
 */
export async function installPackage({ program, packages, services, reporter, environment }) {
  const manager = findManager(environment);
  if (manager === null) return 'no known package manager was found';
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
      // If it is killed while it unpacks, the package database needs repair.
      endGraceMs: END_GRACE_MS,
      onProgress: (elapsedMs) => reporter.step(program, `${what}, ${Math.round(elapsedMs / 1_000)} s`),
    });
  };
  reporter.step(program, `not found; installing it with ${[...prefix, manager.executable].join(' ')}`);
  if (manager.refresh.length > 0) {
    // If one repository is unreachable, the whole update fails. The one that we need may be
    // available, so go on.
    await call([manager.executable, ...manager.refresh], REFRESH_DEADLINE_MS, 'still updating the package lists');
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
      const lastLine = result.output.trim().split('\n').at(-1) ?? '';
      problem = `${manager.executable} install ${name} ${describeRun(result)}: ${lastLine}`;
    }
    return problem;
  } finally {
    allow();
    if (manager.name === 'apt') disableServices(prefix, services);
  }
}

/**
 * Runs a small step around an installation, even after a signal to stop.
 * @param {readonly string[]} words
 */
function step(words) {
  const [file = '', ...args] = words;
  spawnSync(file, args, { timeout: 10_000, stdio: 'ignore' });
}

/**
 * Prevents Debian from starting the service of a new package, which would take port 80 or 6379.
 * @param {readonly string[]} prefix
 * @returns {() => void} undoes it
 */
function denyServiceStarts(prefix) {
  // Containers have their own script, which denies starts.
  if (existsSync(POLICY_PATH)) return () => {};
  const draft = join(tmpdir(), `maru-policy-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, policyScript(process.pid), { flag: 'wx', mode: 0o755 });
  step([...prefix, 'install', '-m', '755', draft, POLICY_PATH]);
  rmSync(draft, { force: true });
  return () => step([...prefix, 'rm', '-f', POLICY_PATH]);
}

/**
 * The package also enables its service for the next boot. We undo that: the package is new on this
 * machine, so nothing depends on the service.
 * @param {readonly string[]} prefix @param {readonly string[]} services
 */
function disableServices(prefix, services) {
  // Without systemd there is nothing to disable.
  if (!existsSync('/run/systemd/system')) return;
  for (const service of services) {
    if (existsSync(`/lib/systemd/system/${service}.service`))
      step([...prefix, 'systemctl', 'disable', '--now', service]);
  }
}
