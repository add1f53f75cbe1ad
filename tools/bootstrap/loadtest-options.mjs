/** The command line of `npm run loadtest`, as a pure function of arguments, environment and the scenarios there are. */
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
 * @typedef {{help: true, text: string} | {
 *   help: false,
 *   scenario: string,
 *   url: string | null,
 *   dataDir: string,
 *   mayStep: boolean,
 *   onStep: string | null,
 *   archive: string | null,
 *   port: string,
 *   mayBuild: boolean,
 *   settings: Record<string, string>,
 *   k6Environment: Record<string, string>,
 *   k6Arguments: string[],
 * }} LoadtestOptions `url` is null when none was named; `settings` are what the scenario reads, `k6Environment` what k6 itself reads;
 *   `mayStep`: the cluster of `dataDir` may be given and taken gateways
 */

const PORT_DEFAULT = '8080';
const PUBLIC_URL = /^https?:\/\/[^/?#\s]+$/;
const DURATION = /^(\d+(\.\d+)?|(\d+(\.\d+)?(ms|s|m|h))+)$/;
const WIDTH = 20;

/** Options that a scenario may have. */
const OWN = /** @type {Record<string, string>} */ ({
  clients: 'how many people, each with one connection',
  rooms: 'how many rooms they are in',
  rate: 'messages a second, of all of them together (at first, where it changes)',
  duration: 'how long they send: 30s, 5m',
  settle: 'how long after the last message they may take to have everything',
  steps: 'how many steps, each with twice the rate',
  factor: 'how many times the rate the spike is',
  storms: 'how many times connections are lost',
  share: 'the part of the clients that loses them, from 0 to 1',
  'hot-clients': 'how many people are in the hot room',
  'hot-rate': 'messages a second in the hot room',
  'delivery-p99': 'the bound of a step in milliseconds: the 99th percentile from send to delivery',
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

const COMMON_HELP = `  --url URL           the public address (default: of the cluster that npm start runs here, else http://localhost:MARU_PORT)
  --data-dir DIR      where that cluster keeps its data (MARU_DATA_DIR, default .maru)
  --tokens FILE       JWTs for the clients, one a line or a JSON array, where the cluster makes no guests
  --delivery-p99 MS   fail when the 99th percentile from send to delivery is above this (default: it is only reported)
  --report FILE       write k6's HTML report
  --summary FILE      write k6's figures as JSON
  --prometheus URL    write figures to a Prometheus as they come, by remote write: http://host:9090/api/v1/write
  --archive FILE      run nothing; write scenario and settings into one file for k6 elsewhere, as a Kubernetes TestRun
  --runners N         with --archive: how many k6 will share the run (the TestRun's parallelism)
  --no-build          do not build k6 where there is none; end with 3
  --help              this text; after a NAME also what that scenario decides, and its options`;

const TAIL = `k6 is the one that MARU_K6 names, one on the PATH, or one that is built here with Go. The exit code is k6's: 0 when every threshold
held, 99 when one did not. More: docs/load-testing.md`;

/** @param {readonly Scenario[]} scenarios */
export const loadtestHelp = (scenarios) => `Usage: npm run loadtest -- NAME [options] [-- options of k6]

Sends load to a running cluster through its public address, and judges that nothing was lost, doubled or swapped.

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
${name === 'scale-out' ? `  ${'--on-step COMMAND'.padEnd(WIDTH)}what adds or drains a gateway of a cluster that npm start does not run here\n` : ''}
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
  if (name === undefined) throw misuse(`Which scenario? There is: ${names}.`);
  if (rest.length > 0) throw misuse(`One scenario at a time, not also "${rest[0]}".`);
  if (scenario === undefined) throw misuse(`There is no scenario "${name}". There is: ${names}.`);
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
        // The usual ten seconds would leave a short run with a point or two.
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
        `--${option} must be ${typeof standard === 'string' ? 'a time like 30s or 5m' : 'a number above 0'}, not "${value}".`,
      );
    settings[`MARU_LOADTEST_${option.toUpperCase().replaceAll('-', '_')}`] = value;
  }
  return settings;
}

/** @param {Record<string, string | undefined>} variables @returns {Record<string, string>} those that have a value */
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
