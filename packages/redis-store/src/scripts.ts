/** Lua scripts as functions. The header of each file declares its keys, arguments and result. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisStore } from './store.ts';

export interface Script {
  name: string;
  source: string;
  sha1: string;
  /**
   * Redis enforces that the script writes nothing. Then an account needs only the right to read its
   * keys.
   */
  readOnly: boolean;
  /** Names from the header's `KEYS[n]` lines, in order. */
  keys: string[];
  /** Names from the header's `ARGV[n]` lines, in order. */
  args: string[];
}

const READ_ONLY = /^#!lua .*\bno-writes\b/;
const HEADER_LINE = /^--\s+(KEYS|ARGV)\[(\d+)\]\s+(\S+)/;

/**
 * Reads a script, for example `loadScript(new URL('./append.lua', import.meta.url))`. `libraries`
 * are files of functions that several scripts share. They are inserted before the script.
 */
export function loadScript(location: URL, ...libraries: URL[]): Script {
  const source = [...libraries, location].map((file) => readFileSync(file, 'utf8')).join('');
  const keys: string[] = [];
  const args: string[] = [];
  for (const line of source.split('\n')) {
    const match = HEADER_LINE.exec(line);
    if (match === null) continue;
    const [, kind, index, name] = match as unknown as [string, 'KEYS' | 'ARGV', string, string];
    (kind === 'KEYS' ? keys : args)[Number(index) - 1] = name;
  }
  return {
    name: location.pathname.split('/').at(-1) ?? 'script',
    source,
    sha1: createHash('sha1').update(source).digest('hex'),
    readOnly: READ_ONLY.test(source),
    keys,
    args,
  };
}

export const isNoScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

/**
 * Runs a script on the shard of its keys, by its hash. Sends the source only if Redis does not have
 * it.
 */
export async function runScript(
  store: RedisStore,
  script: Script,
  keys: string[],
  args: Array<string | number>,
): Promise<unknown> {
  const [first = ''] = keys;
  const { source, sha1, readOnly } = script;
  const [byHash, bySource] = readOnly ? (['evalsha_ro', 'eval_ro'] as const) : (['evalsha', 'eval'] as const);
  try {
    return await store.at(first, (redis) => redis[byHash](sha1, keys.length, ...keys, ...args));
  } catch (error) {
    if (!isNoScript(error)) throw error;
    return store.at(first, (redis) => redis[bySource](source, keys.length, ...keys, ...args));
  }
}
