/** Room logs in a real Redis, each on its own node, and helpers that send to them. */
import { connectRedis, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import type { HotLog } from '../hot-log.ts';
import { createRedisRoomLog, type Retention } from '../redis-room-log.ts';
import type { RoomLog } from '../room-log.ts';
import { createSeenPositions } from '../seen-positions.ts';

export const RETENTION: Retention = {
  entriesMin: 1_000,
  entriesMax: 2_000,
  ageMs: 3_600_000,
  emptyRoomTtlMs: 60_000,
  archive: false,
};

export type LogRig = Awaited<ReturnType<typeof startLogRig>>;

export async function startLogRig() {
  const server = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  const connections: Redis[] = [];

  const connect = async (purpose: string): Promise<Redis> => {
    const redis = connectRedis({ url: server.url, deadlineMs: undefined }, { purpose, node: 'n', logger });
    connections.push(redis);
    if (redis.status !== 'ready') await new Promise((resolve) => redis.once('ready', resolve));
    return redis;
  };

  return {
    admin: await connect('admin'),
    /** All open connections. For each node, first the one for appends, then the one for reads. */
    connections,
    /** One node with its own connections and its own memory. */
    async node(retention: Partial<Retention> = {}): Promise<HotLog> {
      const [append, read] = await Promise.all([connect('append'), connect('read')]);
      return createRedisRoomLog({
        appendStore: singleStore(append),
        readStore: singleStore(read),
        seen: createSeenPositions({ roomsMax: 1_000 }),
        retention: { ...RETENTION, ...retention },
        deadlineMs: 2_000,
        waitReplicas: 0,
        onRefused: () => {},
        now: () => performance.now(),
      });
    },
    async stop() {
      for (const redis of connections) redis.disconnect();
      await server.stop();
    },
  };
}

let rooms = 0;
export async function publicRoom(log: RoomLog): Promise<string> {
  const room = `room-${++rooms}`;
  await log.read(room, { userId: 'mina' }, { mode: 'none' }, { create: true });
  return room;
}

export const message = (room: string, clientMsgId: string, text = 'hello') => ({
  room,
  userId: 'mina',
  userName: 'Mina',
  clientMsgId,
  text,
  mayStore: true,
});
