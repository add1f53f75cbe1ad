/** The command line of `npm run loadtest`, as a pure function of arguments, environment and the scenarios there are. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from './failure.mjs';
import { DEFAULT_DATA_DIR } from './root.mjs';

/** @typedef {{name: string, about: string}} Scenario */
/**
 * @typedef {{help: true} | {
 *   help: false,
 *   scenario: string,
 *   url: string | null,
 *   dataDir: string,
 *   port: string,
 *   mayBuild: boolean,
 *   settings: Record<string, string>,
 *   k6Arguments: string[],
 * }} LoadtestOptions `url` is null when none was named; `settings` are variables for k6
 */

const PORT_DEFAULT = '8080';
const PUBLIC_URL = /^https?:\/\/[^/?#\s]+$/;
const DURATION = /^(\d+(\.\d+)?|(\d+(\.\d+)?(ms|s|m|h))+)$/;

const FLAGS = /** @type {const} */ ({
  url: { type: 'string' },
  'data-dir': { type: 'string' },
  duration: { type: 'string' },
  settle: { type: 'string' },
  tokens: { type: 'string' },
  'delivery-p99': { type: 'string' },
  report: { type: 'string' },
  summary: { type: 'string' },
  'no-build': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
});

/** @param {readonly Scenario[]} scenarios */
export const loadtestHelp = (scenarios) => `Usage: npm run loadtest -- NAME [options] [-- options of k6]

Sends load to a running cluster through its public address, and judges that nothing was lost, doubled or swapped.

${scenarios.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n')}

  --url URL          the public address (default: of the cluster that npm start runs here, else http://localhost:MARU_PORT)
  --data-dir DIR     where that cluster keeps its data (MARU_DATA_DIR, default .maru)
  --duration TIME    how long clients send: 30s, 5m
  --settle TIME      how long after the last message they may take to have everything
  --tokens FILE      JWTs for the clients, one a line or a JSON array, where the cluster makes no guests
  --delivery-p99 MS  fail when the 99th percentile from send to delivery is above this (default: it is only reported)
  --report FILE      write k6's HTML report
  --summary FILE     write k6's figures as JSON
  --no-build         do not build k6 where there is none; end with 3
  --help             this text

k6 is the one that MARU_K6 names, one on the PATH, or one that is built here with Go. The exit code is k6's: 0 when every threshold
held, 99 when one did not. More: docs/load-testing.md`;

/**
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} environment
 * @param {{cwd: string, scenarios: readonly Scenario[]}} context `cwd`: what paths are relative to
 * @returns {LoadtestOptions}
 * @throws {Failure} exit code 2
 */
export function parseLoadtestOptions(args, environment, { cwd, scenarios }) {
  const misuse = (/** @type {string} */ message) =>
    new Failure(`${message}\nSee npm run loadtest -- --help`, { exitCode: 2 });
  const split = args.indexOf('--');
  const own = split === -1 ? args : args.slice(0, split);
  const { values, positionals } = readFlags(own, misuse);
  if (values.help) return { help: true };

  const names = scenarios.map(({ name }) => name).join(', ');
  const [scenario, ...rest] = positionals;
  if (scenario === undefined) throw misuse(`Which scenario? There is: ${names}.`);
  if (rest.length > 0) throw misuse(`One scenario at a time, not also "${rest[0]}".`);
  if (!scenarios.some(({ name }) => name === scenario))
    throw misuse(`There is no scenario "${scenario}". There is: ${names}.`);

  const url = values.url?.replace(/\/+$/, '') ?? null;
  if (url !== null && !PUBLIC_URL.test(url)) throw misuse(`--url must be like http://host:port, not "${url}".`);
  const p99 = values['delivery-p99'];
  if (p99 !== undefined && !(Number(p99) > 0)) throw misuse(`--delivery-p99 must be milliseconds, not "${p99}".`);
  const times = [values.duration, values.settle].filter((time) => time !== undefined);
  const badTime = times.find((time) => !DURATION.test(time));
  if (badTime !== undefined) throw misuse(`A time must be like 30s or 5m, not "${badTime}".`);

  const path = (/** @type {string | undefined} */ file) => (file === undefined ? undefined : resolve(cwd, file));
  const settings = {
    MARU_LOADTEST_DURATION: values.duration,
    MARU_LOADTEST_SETTLE: values.settle,
    MARU_LOADTEST_TOKENS: path(values.tokens),
    MARU_LOADTEST_DELIVERY_P99_MS: p99,
    ...(values.report !== undefined && {
      K6_WEB_DASHBOARD: 'true',
      K6_WEB_DASHBOARD_EXPORT: path(values.report),
      // The usual ten seconds would leave a short run with a point or two.
      K6_WEB_DASHBOARD_PERIOD: '1s',
    }),
    K6_SUMMARY_EXPORT: path(values.summary),
  };
  return {
    help: false,
    scenario,
    url,
    dataDir: path(values['data-dir'] ?? (environment.MARU_DATA_DIR || undefined)) ?? DEFAULT_DATA_DIR,
    mayBuild: values['no-build'] !== true,
    port: environment.MARU_PORT || PORT_DEFAULT,
    settings: Object.fromEntries(
      Object.entries(settings).filter(/** @returns {entry is [string, string]} */ (entry) => entry[1] !== undefined),
    ),
    k6Arguments: split === -1 ? [] : args.slice(split + 1),
  };
}

/** @param {readonly string[]} args @param {(message: string) => Failure} misuse */
function readFlags(args, misuse) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error));
  }
}
