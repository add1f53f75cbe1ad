/**
 * The command lines of `npm start` and `npm run cluster`: pure functions of arguments and
 * environment.
 */
import { resolve } from 'node:path';
import { Failure } from './failure.mjs';
import { DEFAULT_DATA_DIR } from './root.mjs';

export const GATEWAYS_MAX = 64;
/** Session ids begin with the name of the gateway, and nginx reads it: letters, digits and `-`. */
export const NODE_NAME = /^[a-z][a-z0-9-]{0,31}$/;

export const START_HELP = `Usage: npm start -- [options]

Runs the whole cluster in the foreground: Redis, PostgreSQL, gateways, presence, the archiver and
nginx. Ctrl-C ends it.

  --gateways N     number of gateways, 1 to ${GATEWAYS_MAX}      (MARU_GATEWAYS, default 2)
  --port P         the public port                 (MARU_PORT, default 8080)
  --host ADDRESS   the public address to listen on (MARU_PUBLIC_HOST, default: all)
  --data-dir DIR   data, logs and secrets          (MARU_DATA_DIR, default .maru)
  --no-archive     leave out PostgreSQL and archiver (MARU_NO_ARCHIVE=on)
  --help           this text

More settings: docs/one-machine.md`;

export const CLUSTER_HELP = `Usage: npm run cluster -- COMMAND [--data-dir DIR]

Acts on the cluster that npm start runs with the same data directory.

  status           what runs; --json for programs, --json --secrets with
                   the accounts and passwords of Redis and PostgreSQL
  add gateway      add a gateway, without closing any connection
  drain NAME       move its clients and stop; it stays down until restart
  kill NAME        kill -9; it stays down until restart
  restart NAME     start again under the same name (stops it first if it runs)
  token --sub ID --name NAME [--role admin]
                   print a token of this cluster, for 12 hours: for trying the
                   API and the console
  new-epochs       tell all clients that the log of every room is a new one:
                   use it after you restored an older copy of redis/

  --data-dir DIR   the data directory of the cluster   (MARU_DATA_DIR, default .maru)
  --help           this text`;

/**
 * @typedef {{help: true} | {help: false, gateways: number, port: number, host: string, dataDir:
 *   string, archive: boolean}} StartOptions
 */
/** @typedef {'drain' | 'kill' | 'restart'} NamedOperation */
/**
 * @typedef {{command: 'help'}
 *   | {command: 'status', json: boolean, secrets: boolean, dataDir: string}
 *   | {command: 'add' | 'new-epochs', dataDir: string}
 *   | {command: 'token', sub: string, name: string, role: string | null, dataDir: string}
 *   | {command: NamedOperation, name: string, dataDir: string}} ClusterCommand
 */

const TOKEN_OPTIONS = ['--sub', '--name', '--role'];

/** @param {string} message @param {string} help */
const misuse = (message, help) => new Failure(`${message}\n\n${help}`, { exitCode: 2 });

/**
 * Splits arguments into flags with values, switches and words. Accepts `--flag value` and
 * `--flag=value`.
 * @param {readonly string[]} args
 * @param {{values: readonly string[], switches: readonly string[], help: string}} grammar
 */
function readArguments(args, grammar) {
  /** @type {Map<string, string>} */
  const values = new Map();
  /** @type {Set<string>} */
  const switches = new Set();
  /** @type {string[]} */
  const words = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (argument === '-h') {
      switches.add('--help');
    } else if (!argument.startsWith('-')) {
      words.push(argument);
    } else {
      const [flag = '', inline] = argument.split(/=(.*)/s, 2);
      if (grammar.switches.includes(flag) && inline === undefined) {
        switches.add(flag);
      } else if (grammar.values.includes(flag)) {
        const value = inline ?? args[++index];
        if (value === undefined || value === '') throw misuse(`${flag} needs a value.`, grammar.help);
        values.set(flag, value);
      } else {
        throw misuse(`Unknown option ${argument}.`, grammar.help);
      }
    }
  }
  return { values, switches, words };
}

/**
 * @param {string} raw
 * @param {string} what
 * @param {number} min
 * @param {number} max
 * @param {string} help
 */
function wholeNumber(raw, what, min, max, help) {
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < min || value > max)
    throw misuse(`${what} must be a whole number from ${min} to ${max}, not "${raw}".`, help);
  return value;
}

/**
 * @param {string | undefined} raw
 * @param {string} what
 * @param {string} help
 */
function isOn(raw, what, help) {
  if (raw === undefined || raw === '' || raw === 'off' || raw === '0' || raw === 'false') return false;
  if (raw === 'on' || raw === '1' || raw === 'true') return true;
  throw misuse(`${what} must be on or off, not "${raw}".`, help);
}

/**
 * The paths become part of the configuration of nginx, Redis and PostgreSQL, where some characters
 * cannot be written.
 * @param {string | undefined} raw @param {string} cwd @param {string} help
 */
function dataDirectory(raw, cwd, help) {
  const path = raw === undefined ? DEFAULT_DATA_DIR : resolve(cwd, raw);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this looks for control characters.
  if (/["$\\\u0000-\u001f]/.test(path))
    throw misuse(
      `The data directory may not contain a quote, $, \\ or control characters: ${JSON.stringify(path)}.`,
      help,
    );
  return path;
}

/**
 * A flag overrides its variable. An empty variable counts as unset.
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} environment
 * @param {string} cwd what a relative data directory is relative to
 * @returns {StartOptions}
 * @throws {Failure} exit code 2
 */
export function parseStartOptions(args, environment, cwd) {
  const help = START_HELP;
  const grammar = {
    values: ['--gateways', '--port', '--host', '--data-dir'],
    switches: ['--help', '--no-archive'],
    help,
  };
  const { values, switches, words } = readArguments(args, grammar);
  if (switches.has('--help')) return { help: true };
  if (words.length > 0) throw misuse(`Unknown argument "${words[0]}".`, help);
  /** @param {string} flag @param {string} variable */
  const pick = (flag, variable) => {
    const flagged = values.get(flag);
    if (flagged !== undefined) return { raw: flagged, what: flag };
    return { raw: environment[variable] || undefined, what: variable };
  };
  const gateways = pick('--gateways', 'MARU_GATEWAYS');
  const port = pick('--port', 'MARU_PORT');
  const host = pick('--host', 'MARU_PUBLIC_HOST');
  if (host.raw !== undefined && !/^[0-9A-Za-z.:-]+$/.test(host.raw))
    throw misuse(`${host.what} must be an address or a host name, not "${host.raw}".`, help);
  return {
    help: false,
    gateways: wholeNumber(gateways.raw ?? '2', gateways.what, 1, GATEWAYS_MAX, help),
    port: wholeNumber(port.raw ?? '8080', port.what, 1, 65_535, help),
    host: host.raw ?? '',
    dataDir: dataDirectory(pick('--data-dir', 'MARU_DATA_DIR').raw, cwd, help),
    archive: !switches.has('--no-archive') && !isOn(environment.MARU_NO_ARCHIVE, 'MARU_NO_ARCHIVE', help),
  };
}

/** @param {Map<string, string>} values @param {string} help */
function tokenOf(values, help) {
  const [sub, name, role] = TOKEN_OPTIONS.map((option) => values.get(option));
  if (sub === undefined || name === undefined) throw misuse('token needs --sub and --name.', help);
  if (role !== undefined && role !== 'admin') throw misuse(`There is no role "${role}", only admin.`, help);
  return { sub, name, role: role ?? null };
}

/**
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} environment
 * @param {string} cwd
 * @returns {ClusterCommand}
 * @throws {Failure} exit code 2
 */
export function parseClusterCommand(args, environment, cwd) {
  const help = CLUSTER_HELP;
  const { values, switches, words } = readArguments(args, {
    values: ['--data-dir', ...TOKEN_OPTIONS],
    switches: ['--help', '--json', '--secrets'],
    help,
  });
  if (switches.has('--help')) return { command: 'help' };
  const [command, name, ...rest] = words;
  if (command === undefined) throw misuse('Missing command.', help);
  const dataDir = dataDirectory(values.get('--data-dir') ?? (environment.MARU_DATA_DIR || undefined), cwd, help);
  if (switches.has('--json') && command !== 'status') throw misuse('--json is an option of status.', help);
  if (switches.has('--secrets') && !switches.has('--json'))
    throw misuse('--secrets is an option of status --json.', help);
  const [foreign] = command === 'token' ? [] : TOKEN_OPTIONS.filter((option) => values.has(option));
  if (foreign !== undefined) throw misuse(`${foreign} is an option of token.`, help);
  if (rest.length > 0) throw misuse(`Unknown argument "${rest[0]}".`, help);
  switch (command) {
    case 'token': {
      if (name !== undefined) throw misuse(`Unknown argument "${name}".`, help);
      return { command, ...tokenOf(values, help), dataDir };
    }
    case 'status':
      if (name !== undefined) throw misuse(`Unknown argument "${name}".`, help);
      return { command, json: switches.has('--json'), secrets: switches.has('--secrets'), dataDir };
    case 'add':
      if (name !== 'gateway') throw misuse('Only a gateway can be added: add gateway.', help);
      return { command, dataDir };
    case 'new-epochs':
      if (name !== undefined) throw misuse(`Unknown argument "${name}".`, help);
      return { command, dataDir };
    case 'drain':
    case 'kill':
    case 'restart':
      if (name === undefined) throw misuse(`${command} needs a name; see status.`, help);
      if (!NODE_NAME.test(name)) throw misuse(`"${name}" is not a valid name; see status.`, help);
      return { command, name, dataDir };
    default:
      throw misuse(`Unknown command "${command}".`, help);
  }
}
