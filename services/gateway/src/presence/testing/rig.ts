/**
 * Helpers of the presence client's tests: a subscriber without a gateway, and a watcher's user
 * list.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PresenceDiff, PresenceSnapshot } from '@maru/protocol';
import { Redis } from 'ioredis';
import type { PresencePort, PresenceSubscriber } from '../presence-port.ts';

export const user = (id: string) => ({ id, name: `Name of ${id}` });

export interface TestSubscriber extends PresenceSubscriber {
  /** While true it drops messages, like a connection that broke unnoticed. */
  isDeaf: boolean;
  /** Simulates that the gateway restored a broken connection. */
  announceResubscribed(): void;
  channels: Set<string>;
  close(): void;
}

export function createTestSubscriber(url: string): TestSubscriber {
  const redis = new Redis(url, { protocol: 2, retryStrategy: () => 50 });
  redis.on('error', () => {});
  const handlers = new Map<string, (payload: string) => void>();
  let resubscribed = () => {};
  const self: TestSubscriber = {
    isDeaf: false,
    get alive() {
      return redis.status === 'ready';
    },
    channels: new Set(),
    async subscribe(channel, onMessage) {
      await redis.ssubscribe(channel);
      handlers.set(channel, onMessage);
      self.channels.add(channel);
    },
    async unsubscribe(channel) {
      handlers.delete(channel);
      self.channels.delete(channel);
      await redis.sunsubscribe(channel);
    },
    onResubscribed: (callback) => {
      resubscribed = callback;
    },
    announceResubscribed: () => resubscribed(),
    close: () => redis.disconnect(),
  };
  redis.on('smessage', (channel: string, payload: string) => {
    if (!self.isDeaf) handlers.get(channel)?.(payload);
  });
  return self;
}

export interface TestNode {
  port: PresencePort;
  subscriber: TestSubscriber;
}

/** The user list that a client builds from a snapshot and the differences after it. */
export class Viewer {
  readonly users = new Map<string, string>();
  count = 0;
  readonly diffs: PresenceDiff[] = [];

  open(snapshot: PresenceSnapshot): void {
    this.count = snapshot.count;
    this.users.clear();
    for (const { id, status } of snapshot.users ?? []) this.users.set(id, status);
  }

  readonly take = (diff: PresenceDiff): void => {
    this.diffs.push(diff);
    this.count = diff.count;
    for (const { id, status } of [...diff.joins, ...diff.updates]) this.users.set(id, status);
    for (const { id } of diff.leaves) this.users.delete(id);
  };

  get ids(): string {
    return [...this.users.keys()].sort().join();
  }
}

export async function eventually(
  check: () => Promise<boolean> | boolean,
  what: string,
  withinMs = 4_000,
): Promise<void> {
  const start = performance.now();
  while (!(await check())) {
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(20);
  }
}
