/**
 * One real service on a real Redis for the tests of a file. Every test starts with an empty Redis.
 */
import { after, afterEach, before, beforeEach } from 'node:test';
import { type DiffMessage, parseDiffMessage, presenceDiffChannel } from '@maru/presence-api';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { eventually, RawNode, shownIn, snapshot, startTestPresence, type TestPresence } from './harness.ts';

export interface ServiceFixture {
  readonly baseUrl: string;
  readonly redisUrl: string;
  /** A connection with all rights. */
  readonly admin: Redis;
  restart(): Promise<void>;
  /** A node that has reported `state` and renews its lease until the end of the test. */
  startNode(name: string, ...state: unknown[]): Promise<RawNode>;
  /** A node that has reported `state` and then is silent. */
  startSilentNode(name: string, ...state: unknown[]): Promise<RawNode>;
  /** No node renews its lease from now on. */
  silenceNodes(): void;
  /** The differences of a room from now on, in the order of their arrival. */
  diffsOf(room: string): Promise<DiffMessage[]>;
  /** Waits until the room shows exactly these users, comma-separated and sorted. */
  untilShown(room: string, ids: string, withinMs?: number): Promise<void>;
  /** Waits until the room shows this number of users. */
  untilCount(room: string, count: number): Promise<void>;
}

export function useService(): ServiceFixture {
  let redis: TestRedis;
  let service: TestPresence;
  let admin: Redis;
  let subscriber: Redis;
  const stops: Array<() => void> = [];

  before(async () => {
    redis = await startTestRedis();
    admin = new Redis(redis.url, { protocol: 2 });
  });
  after(async () => {
    admin.disconnect();
    await redis.stop();
  });
  beforeEach(async () => {
    await admin.flushall();
    subscriber = new Redis(redis.url, { protocol: 2 });
    service = await startTestPresence(redis.url);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop();
    subscriber.disconnect();
    await service.presence.stop();
  });

  const startSilentNode = async (name: string, ...state: unknown[]): Promise<RawNode> => {
    const node = new RawNode(service.baseUrl, name);
    await node.sync(...state);
    return node;
  };

  return {
    get baseUrl() {
      return service.baseUrl;
    },
    get redisUrl() {
      return redis.url;
    },
    get admin() {
      return admin;
    },
    async restart() {
      await service.presence.stop();
      service = await startTestPresence(redis.url);
    },
    async startNode(name, ...state) {
      const node = await startSilentNode(name, ...state);
      stops.push(node.keepAlive());
      return node;
    },
    startSilentNode,
    silenceNodes() {
      for (const stop of stops.splice(0)) stop();
    },
    async diffsOf(room) {
      const diffs: DiffMessage[] = [];
      const channel = presenceDiffChannel(room);
      await subscriber.ssubscribe(channel);
      subscriber.on('smessage', (name: string, payload: string) => {
        const diff = name === channel ? parseDiffMessage(room, payload) : undefined;
        if (diff !== undefined) diffs.push(diff);
      });
      return diffs;
    },
    untilShown: (room, ids, withinMs) =>
      eventually(async () => (await shownIn(service.baseUrl, room)).join() === ids, `${room} shows "${ids}"`, withinMs),
    untilCount: (room, count) =>
      eventually(async () => (await snapshot(service.baseUrl, room)).count === count, `${room} has ${count} users`),
  };
}
