/** Two parts of presence together: the real service, and the client of a gateway. */
import { after, afterEach, before, beforeEach } from 'node:test';
import { createPresence, type Presence } from '@maru/presence';
import { createLogger } from '@maru/service-kit';
import { findFreePort, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { createPresenceClient } from '../../services/gateway/src/presence/presence-client.ts';
import { createTestSubscriber, type TestNode, Viewer } from '../../services/gateway/src/presence/testing/rig.ts';

export const SECRET = 'a-secret-for-tests-only-0123456789abcdef';
export const GRACE_MS = 600;
export const LEASE_MS = 1_500;
const logger = createLogger({ service: 'gateway', node: 'gw', level: process.env.LOG_LEVEL ?? 'silent' });

export interface PresenceSetup {
  readonly redis: TestRedis;
  /** A connection with all rights. */
  readonly admin: Redis;
  readonly listenPort: number;
  startService(): Promise<void>;
  stopService(): Promise<void>;
  startNode(name: string, timing?: object, isConnected?: (userId: string) => boolean): Promise<TestNode>;
  /** The users that a snapshot shows, comma-separated and sorted. */
  shown(node: TestNode, room: string): Promise<string>;
  watch(node: TestNode, room: string): Promise<Viewer>;
}

/**
 * Registers hooks: one Redis for the calling `describe`, one service and no nodes for each test.
 */
export function usePresence(): PresenceSetup {
  let redis: TestRedis;
  let admin: Redis;
  let service: Presence;
  let listenPort: number;
  const nodes: TestNode[] = [];

  const startService = async () => {
    service = startPresence(redis.url, listenPort);
    await service.start();
  };

  before(async () => {
    redis = await startTestRedis({ appendOnly: 'everysec' });
    admin = new Redis(redis.url, { protocol: 2, retryStrategy: () => 50 });
    admin.on('error', () => {});
  });
  after(async () => {
    admin.disconnect();
    await redis.stop();
  });
  beforeEach(async () => {
    await admin.flushall();
    listenPort = await findFreePort();
    await startService();
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) {
      await node.port.stop();
      node.subscriber.close();
    }
    await service.stop();
  });

  return {
    get redis() {
      return redis;
    },
    get admin() {
      return admin;
    },
    get listenPort() {
      return listenPort;
    },
    startService,
    stopService: () => service.stop(),
    async startNode(name, timing = {}, isConnected = () => false) {
      const subscriber = createTestSubscriber(redis.url);
      const port = createPresenceClient({
        node: name,
        baseUrl: `http://127.0.0.1:${listenPort}`,
        secret: SECRET,
        subscriber,
        logger,
        registry: new Registry(),
        isConnected,
        timing: { batchMs: 20, renewMs: 400, statusBatchMs: 40, auditMs: 200, auditWaitMs: 50, ...timing },
      });
      await port.start();
      const node: TestNode = { port, subscriber };
      nodes.push(node);
      return node;
    },
    async shown(node, room) {
      const { users } = await node.port.snapshot(room);
      return (users ?? [])
        .map(({ id }) => id)
        .sort()
        .join();
    },
    async watch(node, room) {
      const viewer = new Viewer();
      await node.port.watch(room, viewer.take);
      viewer.open(await node.port.snapshot(room));
      return viewer;
    },
  };
}

const startPresence = (redisUrl: string, listenPort: number): Presence =>
  createPresence({
    logger,
    registry: new Registry(),
    settings: {
      node: 'presence-1',
      host: '127.0.0.1',
      listenPort,
      opsPort: 0,
      redisUrl,
      internalSecret: SECRET,
      development: false,
      logLevel: 'silent',
      storeDeadlineMs: 800,
      leaveGraceMs: GRACE_MS,
      diffMs: 50,
      leaseMs: LEASE_MS,
      sweepMs: 100,
      // Longer than a gateway's longest pause between two attempts, as with the defaults.
      sweepHoldMs: 2_500,
    },
  });
