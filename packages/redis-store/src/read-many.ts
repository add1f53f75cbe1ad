/** Sends many reads in one round trip for each shard. */
import type { RedisStore, Shard } from './store.ts';

/** A command that reads one key: its name, the key, and further arguments. */
export type ReadCommand = [name: string, key: string, ...args: string[]];

/** The replies in the order of the commands. Rejects if any of them fails. */
export async function readMany(store: RedisStore, commands: ReadCommand[]): Promise<unknown[]> {
  const byShard = new Map<Shard | undefined, number[]>();
  for (const [index, [, key]] of commands.entries()) {
    const shard = store.shardOf(key);
    const known = byShard.get(shard);
    if (known === undefined) byShard.set(shard, [index]);
    else known.push(index);
  }
  const replies: unknown[] = new Array(commands.length);
  const readAlone = async (index: number): Promise<void> => {
    const [name, key, ...args] = commands[index] as ReadCommand;
    replies[index] = await store.at(key, (redis) => redis.call(name, key, ...args));
  };
  const readOn = async (shard: Shard | undefined, indexes: number[]): Promise<void> => {
    // `at` waits for an owner or rejects.
    if (shard === undefined) return void (await Promise.all(indexes.map(readAlone)));
    const answers = (await shard.redis.pipeline(indexes.map((index) => commands[index] as ReadCommand)).exec()) ?? [];
    await Promise.all(
      indexes.map((index, position) => {
        const [error, reply] = answers[position] ?? [new Error('no reply')];
        if (error == null) replies[index] = reply;
        else if (store.noteRedirection(error, shard)) return readAlone(index);
        else throw error;
        return undefined;
      }),
    );
  };
  await Promise.all([...byShard].map(([shard, indexes]) => readOn(shard, indexes)));
  return replies;
}
