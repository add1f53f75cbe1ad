/**
 * The settings of a run, from k6's environment. `tools/loadtest.mjs` or `k6 run -e NAME=value` set
 * them. Pure.
 */
import { parseDurationMs } from './shapes.ts';

/**
 * The options of each scenario with their defaults: `loadtest/scenarios.json`. Times have a unit.
 */
export type Catalogue = Record<string, Record<string, number | string>>;

export interface Settings {
  /** The cluster's public address, without a final slash. */
  url: string;
  deliveryP99MsMax: number | undefined;
  /** A file of JWTs, for clusters without guests: a JSON array, or one token a line. */
  tokensFile: string | undefined;
  /** How many k6 processes share this run: the `parallelism` of a TestRun. */
  runners: number;
  /** The share of acts: edits, reactions, replies, reads. 0 for scenarios without this option. */
  actsShare: number;
  /**
   * The value of an option of the scenario: times in milliseconds, rates in messages a second.
   * @throws {Error} if the scenario has no such option
   */
  of(option: string): number;
}

/** All other options are whole numbers. */
const FRACTIONS = new Set(['rate', 'acts', 'hot-rate', 'factor', 'share', 'delivery-p99']);

/** The variable that sets an option. */
export const variableOf = (option: string): string => `MARU_LOADTEST_${option.toUpperCase().replaceAll('-', '_')}`;

/**
 * @param options the options of the scenario, with defaults
 * @throws {Error} for an invalid value; it names the variable
 */
export function readSettings(
  env: Record<string, string | undefined>,
  options: Readonly<Record<string, number | string>>,
): Settings {
  const url = (env.MARU_LOADTEST_URL ?? 'http://localhost:8080').replace(/\/+$/, '');
  if (!/^https?:\/\/[^/?#\s]+$/.test(url))
    throw new Error(`MARU_LOADTEST_URL: expected an address like http://host:port without a path, not ${url}`);
  const values = new Map<string, number>();
  for (const [option, standard] of Object.entries(options)) {
    const text = env[variableOf(option)] || String(standard);
    values.set(option, typeof standard === 'string' ? readTime(text, option) : readNumber(text, option));
  }
  const p99 = env[variableOf('delivery-p99')];
  return {
    url,
    deliveryP99MsMax: values.get('delivery-p99') ?? (p99 ? readNumber(p99, 'delivery-p99') : undefined),
    tokensFile: env.MARU_LOADTEST_TOKENS || undefined,
    actsShare: values.get('acts') ?? 0,
    runners: readNumber(env.MARU_LOADTEST_RUNNERS || '1', 'runners'),
    of(option) {
      const value = values.get(option);
      if (value === undefined) throw new Error(`this scenario has no option ${option}`);
      return value;
    },
  };
}

function readTime(text: string, option: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined)
    throw new Error(`${variableOf(option)}: expected a duration like 30s or 5m, not ${text}`);
  return durationMs;
}

function readNumber(text: string, option: string): number {
  const value = Number(text);
  const good = value > 0 && Number.isFinite(value) && (FRACTIONS.has(option) || Number.isInteger(value));
  if (!good)
    throw new Error(
      `${variableOf(option)}: expected a ${FRACTIONS.has(option) ? '' : 'whole '}number above 0, not ${text}`,
    );
  return value;
}

/**
 * Reads the tokens file. Clients take its tokens in turn, so several clients may be one user.
 * @returns `count` tokens
 * @throws {Error} if there is no token, or an invalid one; the message never quotes a token
 */
export function tokensFrom(text: string, count: number): string[] {
  const isArray = text.trimStart().startsWith('[');
  const tokens: unknown = isArray ? JSON.parse(text) : text.split('\n').map((line) => line.trim());
  const list = Array.isArray(tokens) ? tokens.filter((token) => token !== '') : [];
  const bad = list.findIndex((token) => typeof token !== 'string' || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token));
  if (bad >= 0) throw new Error(`the tokens file: entry ${bad + 1} is not a JWT`);
  if (list.length === 0) throw new Error('the tokens file has no token');
  return Array.from({ length: count }, (_, index) => String(list[index % list.length]));
}
