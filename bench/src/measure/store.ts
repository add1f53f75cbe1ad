/** What the store tells of its own work. */
import { Redis } from 'ioredis';

export interface StoreCounts {
  /** Calls by command, those from within scripts too. */
  calls: Record<string, number>;
  inBytes: number;
  outBytes: number;
}

export interface StoreWatch {
  counts(): Promise<StoreCounts>;
  version(): Promise<string>;
  close(): void;
}

/** What watching itself calls. */
const OWN = new Set(['info', 'hello', 'client']);

export function watchStore(url: string): StoreWatch {
  const redis = new Redis(url, { protocol: 2 });
  return {
    async counts() {
      const text = await redis.info('stats', 'commandstats');
      const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
      const calls: Record<string, number> = {};
      for (const [, name = '', count] of text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm))
        if (!OWN.has(name.split('|')[0] ?? '')) calls[name] = Number(count);
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
    const more = count - (before.calls[name] ?? 0);
    if (more > 0) calls[name] = more;
  }
  return calls;
}
