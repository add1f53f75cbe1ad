/** Searches the whole content of a Redis. */
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';

/** Every key with its value as text. */
export async function readStore(redis: Redis): Promise<Map<string, string>> {
  const store = new Map<string, string>();
  for await (const keys of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>)
    for (const key of keys) store.set(key, await readKey(redis, key));
  return store;
}

/**
 * The keys that contain one of the texts: in their names, in their values, or in the bytes from
 * which Redis writes its files. A deleted stream entry stays in its block until Redis frees the
 * block, so only those bytes show it.
 */
export async function keysWith(redisUrl: string, texts: readonly string[]): Promise<string[]> {
  const redis = new Redis(redisUrl);
  try {
    // Compression would hide a text.
    await redis.config('SET', 'rdbcompression', 'no');
    const found = new Set<string>();
    let keys = 0;
    for await (const batch of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>)
      for (const key of batch) {
        keys++;
        for (const [what, bytes] of await bytesOf(redis, key))
          if (texts.some((text) => bytes.includes(text))) found.add(`${key} (${what})`);
      }
    assert(keys > 0, 'an empty store was searched');
    return [...found];
  } finally {
    redis.disconnect();
  }
}

async function bytesOf(redis: Redis, key: string): Promise<Array<[what: string, bytes: Buffer]>> {
  return [
    ['name', Buffer.from(key)],
    ['value', Buffer.from(await readKey(redis, key))],
    ['dump', (await redis.dumpBuffer(key)) ?? Buffer.alloc(0)],
  ];
}

const READERS: Record<string, (redis: Redis, key: string) => Promise<unknown>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
  zset: (redis, key) => redis.zrange(key, '0', '-1'),
  set: (redis, key) => redis.smembers(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
};

async function readKey(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  // A key may have expired since the scan.
  return type === 'none' ? '' : JSON.stringify(await READERS[type]?.(redis, key));
}
