/** Redis's own counters. */
import { Redis } from 'ioredis';

export interface StoreCounts {
  /** Calls by command, including those in scripts. */
  calls: Record<string, number>;
  inBytes: number;
  outBytes: number;
}

export interface StoreMonitor {
  counts(): Promise<StoreCounts>;
  version(): Promise<string>;
  close(): void;
}

/** Commands of the monitor itself. */
const MONITOR_COMMANDS = new Set(['info', 'hello', 'client']);

export function monitorStore(url: string): StoreMonitor {
  const redis = new Redis(url, { protocol: 2 });
  return {
    async counts() {
      const text = await redis.info('stats', 'commandstats');
      const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
      const calls: Record<string, number> = {};
      for (const [, name = '', count] of text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm))
        if (!MONITOR_COMMANDS.has(name.split('|')[0] ?? '')) calls[name] = Number(count);
      return { calls, inBytes: field('total_net_input_bytes'), outBytes: field('total_net_output_bytes') };
    },
    async version() {
      return /^redis_version:(\S+)/m.exec(await redis.info('server'))?.[1] ?? 'unknown';
    },
    close: () => redis.disconnect(),
  };
}

export function callsBetween(before: StoreCounts, after: StoreCounts): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const [name, count] of Object.entries(after.calls)) {
    const increase = count - (before.calls[name] ?? 0);
    if (increase > 0) calls[name] = increase;
  }
  return calls;
}
