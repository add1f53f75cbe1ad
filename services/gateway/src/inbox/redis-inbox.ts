/**
 * Sends inbox events through Redis, on one sharded channel for each user. Nodes with connections of
 * the user subscribe to it (`docs/decisions/0028-…`). Events of one event loop turn leave in one
 * write to each shard. Nothing is retried.
 */
import type { RedisStore, Shard } from '@maru/redis-store';
import { userInboxChannel } from '../keys.ts';
import type { Inbox } from './inbox.ts';
import { encodeInboxEvent } from './inbox-codec.ts';

/** Maximum events, and their characters, in flight to the store. Further events are lost. */
const EVENTS_MAX = 10_000;
const CHARS_MAX = 16 * 1_048_576;

interface Outgoing {
  channel: string;
  payload: string;
}

export interface RedisInboxOptions {
  store: RedisStore;
  onSent: (events: number) => void;
  onLost: (events: number) => void;
}

export function createRedisInbox({ store, onSent, onLost }: RedisInboxOptions): Inbox {
  let queue: Outgoing[] = [];
  let [events, chars] = [0, 0];

  const settle = (sent: Outgoing[], lost: number): void => {
    for (const { payload } of sent) chars -= payload.length;
    events -= sent.length;
    if (sent.length > lost) onSent(sent.length - lost);
    if (lost > 0) onLost(lost);
  };

  const sendTo = async (shard: Shard | undefined, batch: Outgoing[]): Promise<void> => {
    if (shard?.redis.status !== 'ready') return settle(batch, batch.length);
    const commands = batch.map(({ channel, payload }) => ['spublish', channel, payload]);
    try {
      const replies = (await shard.redis.pipeline(commands).exec()) ?? [];
      const errors = batch.flatMap((_, index) => replies[index]?.[0] ?? []);
      for (const error of errors) store.noteRedirection(error, shard);
      settle(batch, errors.length);
    } catch {
      settle(batch, batch.length);
    }
  };

  const flush = (): void => {
    const byShard = new Map<Shard | undefined, Outgoing[]>();
    for (const outgoing of queue) {
      const shard = store.shardOf(outgoing.channel);
      const batch = byShard.get(shard);
      if (batch === undefined) byShard.set(shard, [outgoing]);
      else batch.push(outgoing);
    }
    queue = [];
    for (const [shard, batch] of byShard) void sendTo(shard, batch);
  };

  return {
    tell(userIds, event) {
      const payload = encodeInboxEvent(event);
      for (const [index, userId] of userIds.entries()) {
        if (events >= EVENTS_MAX || chars + payload.length > CHARS_MAX) return onLost(userIds.length - index);
        if (queue.length === 0) setImmediate(flush);
        queue.push({ channel: userInboxChannel(userId), payload });
        events++;
        chars += payload.length;
      }
    },
  };
}
