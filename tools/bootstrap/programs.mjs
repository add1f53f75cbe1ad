/**
 * Finds the programs that are not npm packages, or installs them with the package manager of the
 * system if we may.
 */
import { Failure } from './failure.mjs';
import { findProgram } from './find-program.mjs';
import { installPackage, manualCommand } from './package-managers.mjs';

/** @typedef {import('./terminal.mjs').Reporter} Reporter */
/**
 * @typedef {object} Program
 * @property {readonly string[]} names of the executable, best first
 * @property {readonly string[]} places absolute paths to look at besides the PATH; `*` stands for
 *   any version, the highest first
 * @property {Record<import('./package-managers.mjs').ManagerName, readonly string[]>} packages
 *   alternatives, best first
 * @property {readonly string[]} services that Debian's packages would start
 */

/** @satisfies {Record<string, Program>} */
export const PROGRAMS = {
  redis: {
    names: ['redis-server', 'valkey-server'],
    places: [],
    packages: {
      apt: ['redis-server', 'valkey-server'],
      dnf: ['valkey', 'redis'],
      apk: ['valkey', 'redis'],
      pacman: ['valkey', 'redis'],
      brew: ['redis', 'valkey'],
    },
    services: ['redis-server', 'valkey-server'],
  },
  nginx: {
    names: ['nginx'],
    places: [],
    packages: { apt: ['nginx'], dnf: ['nginx'], apk: ['nginx'], pacman: ['nginx'], brew: ['nginx'] },
    services: ['nginx'],
  },
  postgres: {
    names: ['postgres'],
    places: [
      // Debian, the packages of postgresql.org for Fedora and others, Alpine, Homebrew.
      '/usr/lib/postgresql/*/bin/postgres',
      '/usr/pgsql-*/bin/postgres',
      '/usr/libexec/postgresql*/postgres',
      '/opt/homebrew/opt/postgresql@*/bin/postgres',
      '/usr/local/opt/postgresql@*/bin/postgres',
    ],
    packages: {
      apt: ['postgresql'],
      dnf: ['postgresql-server'],
      apk: ['postgresql', 'postgresql17'],
      pacman: ['postgresql'],
      brew: ['postgresql@17'],
    },
    services: ['postgresql'],
  },
  promtool: {
    names: ['promtool'],
    places: [],
    packages: {
      apt: ['prometheus'],
      dnf: ['golang-github-prometheus'],
      apk: ['prometheus'],
      pacman: ['prometheus'],
      brew: ['prometheus'],
    },
    services: ['prometheus'],
  },
  slapd: {
    names: ['slapd'],
    places: ['/usr/lib/openldap/slapd', '/usr/libexec/slapd', '/opt/homebrew/opt/openldap/libexec/slapd'],
    packages: {
      apt: ['slapd'],
      dnf: ['openldap-servers'],
      apk: ['openldap'],
      pacman: ['openldap'],
      brew: ['openldap'],
    },
    services: ['slapd'],
  },
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
    places: ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
    packages: {
      apt: ['chromium', 'chromium-browser'],
      dnf: ['chromium'],
      apk: ['chromium'],
      pacman: ['chromium'],
      brew: ['chromium'],
    },
    services: [],
  },
};

/** @typedef {keyof typeof PROGRAMS} ProgramName */

/**
 * Finds a program. If it is missing and we may install it (as root, or with sudo without a
 * password), installs it.
 * @param {ProgramName} program
 * @param {{reporter: Reporter, environment: NodeJS.ProcessEnv}} options
 * @returns {Promise<string>} its absolute path
 * @throws {Failure} with the command to run by hand
 */
export async function ensureProgram(program, { reporter, environment }) {
  const { names, places, packages, services } = PROGRAMS[program];
  const found = findProgram(names, environment, places);
  if (found !== null) return found;
  const problem = await installPackage({ program, packages, services, reporter, environment });
  const installed = findProgram(names, environment, places);
  if (installed !== null) return installed;
  throw new Failure(
    `${names[0]} is needed and was not found${problem === null ? '' : ` (${problem})`}.\n` +
      `Install it, then try again:  ${manualCommand(packages, environment)}`,
  );
}
