/** What a run was told, through k6's environment. `tools/loadtest.mjs` sets these; plain `k6 run -e NAME=value` may as well. Pure. */
import { parseDurationMs } from './shapes.ts';

export interface Settings {
  /** The cluster's public address, without a final slash. */
  url: string;
  /** How long members send; undefined leaves it to the scenario. */
  sendMs: number | undefined;
  /** How long after the last send members may take to become whole; undefined leaves it to the scenario. */
  settleMs: number | undefined;
  deliveryP99MsMax: number | undefined;
  /** A file of JWTs, for clusters without guests: a JSON array, or one token a line. */
  tokensFile: string | undefined;
}

/** @throws {Error} naming the variable, for a value that cannot be used */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const url = (env.MARU_LOADTEST_URL ?? 'http://localhost:8080').replace(/\/+$/, '');
  if (!/^https?:\/\/[^/?#\s]+$/.test(url))
    throw new Error(`MARU_LOADTEST_URL: an address like http://host:port without a path is wanted, not ${url}`);
  const p99 = env.MARU_LOADTEST_DELIVERY_P99_MS;
  if (p99 !== undefined && !(Number(p99) > 0))
    throw new Error(`MARU_LOADTEST_DELIVERY_P99_MS: a number of milliseconds is wanted, not ${p99}`);
  return {
    url,
    sendMs: readDuration(env, 'MARU_LOADTEST_DURATION'),
    settleMs: readDuration(env, 'MARU_LOADTEST_SETTLE'),
    deliveryP99MsMax: p99 === undefined ? undefined : Number(p99),
    tokensFile: env.MARU_LOADTEST_TOKENS || undefined,
  };
}

function readDuration(env: Record<string, string | undefined>, name: string): number | undefined {
  const text = env[name];
  if (text === undefined) return undefined;
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined) throw new Error(`${name}: a duration like 30s or 5m is wanted, not ${text}`);
  return durationMs;
}

/**
 * Reads the text of a tokens file; clients take its tokens in turn, so several may be one user.
 * @returns `count` tokens
 * @throws {Error} when it holds none, or something else; the message never repeats a token
 */
export function tokensFrom(text: string, count: number): string[] {
  const isArray = text.trimStart().startsWith('[');
  const tokens: unknown = isArray ? JSON.parse(text) : text.split('\n').map((line) => line.trim());
  const list = Array.isArray(tokens) ? tokens.filter((token) => token !== '') : [];
  const bad = list.findIndex((token) => typeof token !== 'string' || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token));
  if (bad >= 0) throw new Error(`the tokens file: entry ${bad + 1} is no JWT`);
  if (list.length === 0) throw new Error('the tokens file holds no token');
  return Array.from({ length: count }, (_, index) => String(list[index % list.length]));
}
