/** Faults by an administrator's command, on any store. */

import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';

/** The goal for losses that only the node itself can detect. */
const AFTER_SUBSCRIBER_MS = 2_000;
const AFTER_COMMAND_MS = 5_000;
/** The node heartbeat (5 s), and a full report of presence. */
const AFTER_PRESENCE_MS = 10_000;

export const COMMAND_FAULTS: ReadonlyArray<Fault<ClusterEnvironment>> = [
  {
    name: 'subscribers dropped',
    about: 'CLIENT KILL TYPE pubsub',
    store: 'fine',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_SUBSCRIBER_MS,
    weight: 4,
    async inject({ environment, began }) {
      await environment.admin((redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      began();
    },
  },
  {
    name: 'last message lost',
    about: 'CLIENT KILL TYPE pubsub, one message to each room at the same time, then silence',
    store: 'fine',
    quiet: true,
    holdMs: [0, 0],
    wholeWithinMs: AFTER_SUBSCRIBER_MS,
    async inject({ environment, began }) {
      await environment.admin((redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      began();
    },
  },
  {
    name: 'presence flushed',
    about: 'all keys of presence are deleted from Redis',
    store: 'fine',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_COMMAND_MS,
    presenceWithinMs: AFTER_PRESENCE_MS,
    weight: 1,
    async inject({ environment, began }) {
      await environment.admin(async (redis) => {
        const keys = await redis.keys('maru:presence:*');
        // One by one: on a Redis Cluster the keys are in different slots.
        await Promise.all(keys.map((key) => redis.del(key)));
      });
      began();
    },
  },
  {
    name: 'scripts forgotten',
    about: 'SCRIPT FLUSH',
    store: 'fine',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_COMMAND_MS,
    async inject({ environment, began }) {
      await environment.admin((redis) => redis.call('SCRIPT', 'FLUSH'));
      began();
    },
  },
];
