/**
 * The command line of `npm run loadtest`: a pure function of arguments, environment and scenarios.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from './failure.mjs';
import { DEFAULT_DATA_DIR } from './root.mjs';

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} about one line
 * @property {string} text what it decides
 * @property {Record<string, number | string>} options its own, with defaults; times as text
 */
/**
 * @typedef {{help: true, text: string} | { help: false, scenario: string, url: string | null,
 *   dataDir: string, mayStep: boolean, onStep: string | null, archive: string | null, port: string,
 *   mayBuild: boolean, settings: Record<string, string>, k6Environment: Record<string, string>,
 *   k6Arguments: string[], }} LoadtestOptions `url` is null if none was given; the scenario reads
 *   `settings`, k6 reads `k6Environment`; `mayStep`: gateways of the cluster of `dataDir` may be
 *   added and drained
 */

const PORT_DEFAULT = '8080';
const PUBLIC_URL = /^https?:\/\/[^/?#\s]+$/;
const DURATION = /^(\d+(\.\d+)?|(\d+(\.\d+)?(ms|s|m|h))+)$/;
const WIDTH = 20;

/** Options that a scenario may have. */
const OWN = /** @type {Record<string, string>} */ ({
  clients: 'number of clients, each with one connection',
  rooms: 'number of rooms',
  rate: 'messages per second of all clients together (the first value if it changes)',
  acts: 'the part of them that is edits, deletions, reactions, replies and reads, from 0 to 1',
  duration: 'duration of sending: 30s, 5m',
  settle: 'time after the last message in which all clients must have received everything',
  steps: 'number of steps, each with twice the rate',
  factor: 'the rate of the spike, as a multiple of the rate',
  storms: 'number of times that connections are lost',
  share: 'share of the clients that lose them, from 0 to 1',
  'hot-clients': 'number of clients in the hot room',
  'hot-rate': 'messages per second in the hot room',
  'delivery-p99': 'limit of a step in milliseconds: 99th percentile from send to delivery',
});

const FLAGS = /** @type {const} */ ({
  url: { type: 'string' },
  'data-dir': { type: 'string' },
  tokens: { type: 'string' },
  'delivery-p99': { type: 'string' },
  report: { type: 'string' },
  summary: { type: 'string' },
  prometheus: { type: 'string' },
  'on-step': { type: 'string' },
  archive: { type: 'string' },
  runners: { type: 'string' },
  'no-build': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
});

const COMMON_HELP = `  --url URL           the public address (default: that of the running cluster, else http://localhost:MARU_PORT)
  --data-dir DIR      the data directory of that cluster (MARU_DATA_DIR, default .maru)
  --tokens FILE       JWTs for the clients, one per line or a JSON array, if the cluster accepts no guests
  --delivery-p99 MS   fail if the 99th percentile from send to delivery is higher (default: only report it)
  --report FILE       write the HTML report of k6
  --summary FILE      write the figures of k6 as JSON
  --prometheus URL    send figures to Prometheus by remote write: http://host:9090/api/v1/write
  --archive FILE      do not run; write scenario and settings to a file for k6 elsewhere, as a Kubernetes TestRun
  --runners N         with --archive: how many k6 share the run (the parallelism of the TestRun)
  --no-build          do not build k6 if it is missing; exit with 3
  --help              this text; after a NAME, the purpose and options of that scenario`;

const TAIL = `k6 is taken from MARU_K6 or the PATH, or built with Go. The exit code is that of k6: 0 if all thresholds
passed, 99 if one failed. More: docs/load-testing.md`;

/** @param {readonly Scenario[]} scenarios */
export const loadtestHelp = (scenarios) => `Usage: npm run loadtest -- NAME [options] [-- options of k6]

Sends load to a running cluster through its public address, and checks that no message is lost, duplicated or out of order.

${scenarios.map(({ name, about }) => `  ${name.padEnd(WIDTH)}${about}`).join('\n')}

${COMMON_HELP}

${TAIL}`;

/** @param {Scenario} scenario */
export const scenarioHelp = ({
  name,
  about,
  text,
  options,
}) => `Usage: npm run loadtest -- ${name} [options] [-- options of k6]

${about}

${text}

${Object.entries(options)
  .map(([option, standard]) => `  ${`--${option}`.padEnd(WIDTH)}${OWN[option]} (${standard})`)
  .join('\n')}
${name === 'scale-out' ? `  ${'--on-step COMMAND'.padEnd(WIDTH)}the command that adds or drains a gateway of another cluster\n` : ''}
${COMMON_HELP.split('\n')
  .filter((line) => !('delivery-p99' in options && line.includes('--delivery-p99')))
  .join('\n')}

${TAIL}`;

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
  const names = scenarios.map(({ name }) => name).join(', ');
  const [name, ...rest] = positionals;
  const scenario = scenarios.find((known) => known.name === name);
  if (values.help && name === undefined) return { help: true, text: loadtestHelp(scenarios) };
  if (name === undefined) throw misuse(`Missing scenario. The scenarios are ${names}.`);
  if (rest.length > 0) throw misuse(`Unknown argument "${rest[0]}": give one scenario.`);
  if (scenario === undefined) throw misuse(`Unknown scenario "${name}". The scenarios are ${names}.`);
  if (values.help) return { help: true, text: scenarioHelp(scenario) };

  const url = values.url?.replace(/\/+$/, '') ?? null;
  if (url !== null && !PUBLIC_URL.test(url)) throw misuse(`--url must be like http://host:port, not "${url}".`);
  if (values.prometheus !== undefined && !URL.canParse(values.prometheus))
    throw misuse(`--prometheus must be an address like http://host:9090/api/v1/write, not "${values.prometheus}".`);
  if (values['on-step'] !== undefined && name !== 'scale-out')
    throw misuse(`--on-step is for scale-out, not for ${name}.`);
  if (values.runners !== undefined && values.archive === undefined) throw misuse('--runners is for --archive.');

  const path = (/** @type {string | undefined} */ file) => (file === undefined ? undefined : resolve(cwd, file));
  return {
    help: false,
    scenario: name,
    url,
    dataDir: path(values['data-dir'] ?? (environment.MARU_DATA_DIR || undefined)) ?? DEFAULT_DATA_DIR,
    mayStep: url === null || values['data-dir'] !== undefined,
    onStep: values['on-step'] ?? null,
    archive: path(values.archive) ?? null,
    mayBuild: values['no-build'] !== true,
    port: environment.MARU_PORT || PORT_DEFAULT,
    settings: { ...ownSettings(scenario, values, misuse), ...given({ MARU_LOADTEST_TOKENS: path(values.tokens) }) },
    k6Environment: given({
      ...(values.report !== undefined && {
        K6_WEB_DASHBOARD: 'true',
        K6_WEB_DASHBOARD_EXPORT: path(values.report),
        // With the default of 10 s, the graph of a short run would have one or two points.
        K6_WEB_DASHBOARD_PERIOD: '1s',
      }),
      K6_SUMMARY_EXPORT: path(values.summary),
      ...(values.prometheus !== undefined && {
        K6_PROMETHEUS_RW_SERVER_URL: values.prometheus,
        K6_PROMETHEUS_RW_TREND_STATS: environment.K6_PROMETHEUS_RW_TREND_STATS || 'p(50),p(99),max',
      }),
    }),
    k6Arguments: [
      ...(values.prometheus === undefined ? [] : ['--out', 'experimental-prometheus-rw']),
      ...(split === -1 ? [] : args.slice(split + 1)),
    ],
  };
}

/**
 * @param {Scenario} scenario
 * @param {Record<string, string | boolean | undefined>} values
 * @param {(message: string) => Failure} misuse
 * @returns {Record<string, string>} variables that the scenario reads
 */
function ownSettings(scenario, values, misuse) {
  /** @type {Record<string, string>} */
  const settings = {};
  for (const option of [...Object.keys(OWN), 'runners']) {
    const value = values[option];
    if (typeof value !== 'string') continue;
    const standard = scenario.options[option];
    if (standard === undefined && option !== 'delivery-p99' && option !== 'runners')
      throw misuse(`${scenario.name} has no --${option}. It has: --${Object.keys(scenario.options).join(', --')}.`);
    const good = typeof standard === 'string' ? DURATION.test(value) : Number(value) > 0;
    if (!good)
      throw misuse(
        `--${option} must be ${typeof standard === 'string' ? 'a time like 30s or 5m' : 'a positive number'}, not "${value}".`,
      );
    settings[`MARU_LOADTEST_${option.toUpperCase().replaceAll('-', '_')}`] = value;
  }
  return settings;
}

/**
 * @param {Record<string, string | undefined>} variables
 * @returns {Record<string, string>} those that have a value
 */
const given = (variables) =>
  Object.fromEntries(
    Object.entries(variables).filter(/** @returns {entry is [string, string]} */ (entry) => entry[1] !== undefined),
  );

/** @param {readonly string[]} args @param {(message: string) => Failure} misuse */
function readFlags(args, misuse) {
  const own = Object.fromEntries(Object.keys(OWN).map((option) => [option, /** @type {const} */ ({ type: 'string' })]));
  try {
    return parseArgs({ args: [...args], options: { ...own, ...FLAGS }, allowPositionals: true });
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error));
  }
}
