/** Runs scripts and commands, measures them, and checks their keys against the script's header. */
import { MaruError } from '@maru/protocol';
import { type ReadCommand, type RedisStore, readMany, runScript, type Script } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import type { PresenceMetrics } from '../metrics.ts';

export type StoreArgument = string | number;

export interface StoreHealth {
  /** When Redis last answered and when a call last failed, in ms of `now`. */
  lastOkAt: number;
  lastFailedAt: number;
}

export interface ScriptRunner {
  /** Rejects with `unavailable` on any failure. Whether the script took effect is then unknown. */
  run(script: Script, keys: Record<string, string>, args: StoreArgument[]): Promise<unknown>;
  /** The same for a command on one key. */
  call<T>(operation: string, key: string, command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Many reads, in one round trip for each shard. */
  readMany(operation: string, commands: ReadCommand[]): Promise<unknown[]>;
  readonly health: Readonly<StoreHealth>;
}

export function createScriptRunner(options: {
  store: RedisStore;
  metrics: PresenceMetrics;
  now: () => number;
}): ScriptRunner {
  const { store, metrics, now } = options;
  const health: StoreHealth = { lastOkAt: Number.NEGATIVE_INFINITY, lastFailedAt: Number.NEGATIVE_INFINITY };

  const measured = async <T>(operation: string, command: () => Promise<T>): Promise<T> => {
    const stopTimer = metrics.storeSeconds.startTimer();
    try {
      const result = await command();
      health.lastOkAt = now();
      return result;
    } catch (error) {
      health.lastFailedAt = now();
      metrics.storeErrors.inc({ operation });
      throw new MaruError('unavailable', 'Redis does not answer', { cause: error });
    } finally {
      stopTimer();
    }
  };

  return {
    health,
    call: (operation, key, command) => measured(operation, () => store.at(key, command)),
    readMany: (operation, commands) => measured(operation, () => readMany(store, commands)),
    run: (script, keys, args) => {
      const names = Object.keys(keys);
      if (names.length !== script.keys.length || names.some((name) => !script.keys.includes(name)))
        throw new TypeError(`${script.name} declares the keys ${script.keys.join(', ')}, not ${names.join(', ')}`);
      const ordered = script.keys.map((name) => keys[name] ?? '');
      return measured(script.name, () => runScript(store, script, ordered, args));
    },
  };
}
