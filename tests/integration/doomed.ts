/**
 * A process that runs one request with the parts of a gateway, and kills itself right after Redis
 * has executed one of its writes. No code of the process runs after that write.
 *
 *     MARU_REDIS_URL=… node tests/integration/doomed.ts '{"event": "room:kick", "user": "mina",
 * "request": {…}, "writes": 2}'
 *
 * It ends with SIGKILL, or with exit code 0 if the request needs fewer writes.
 */
import { createLogger } from '@maru/service-kit';
import { type Command, Redis } from 'ioredis';
import { readGatewayConfig } from '../../services/gateway/src/config.ts';
import { createRedisInbox } from '../../services/gateway/src/inbox/redis-inbox.ts';
import { createMetrics } from '../../services/gateway/src/ops/metrics.ts';
import type { Tracing } from '../../services/gateway/src/ops/tracing.ts';
import type { Caller, CallHandlers } from '../../services/gateway/src/requests/handler.ts';
import { messageHandlers } from '../../services/gateway/src/requests/messages.ts';
import { moderationHandlers } from '../../services/gateway/src/requests/moderation.ts';
import { createCarryOut } from '../../services/gateway/src/rooms/acts.ts';
import { WorkQueues } from '../../services/gateway/src/rooms/work-queues.ts';
import { createInboxHandlers, noteChanges } from '../../services/gateway/src/wiring/inbox.ts';
import { createMessages } from '../../services/gateway/src/wiring/messages.ts';
import { createStore } from '../../services/gateway/src/wiring/store.ts';

export interface Doom {
  event: keyof CallHandlers;
  user: string;
  request: Record<string, unknown>;
  /** The process dies after this many writes. */
  writes: number;
}

/** Commands that write nothing to the store. */
const READS = new Set('get hget hmget hgetall hkeys hlen evalsha_ro spublish info time ping client config'.split(' '));
/** Longer than an uninterrupted step of the gateway. */
const IDLE_MS = 20;

let inFlight = 0;
let written = 0;

/** Counts writes when their replies arrive, before any caller gets them. */
function dieAfter(writes: number): void {
  const { sendCommand } = Redis.prototype;
  Redis.prototype.sendCommand = function (this: Redis, command: Command, ...rest: never[]) {
    const { resolve } = command;
    const isWrite = !READS.has(command.name);
    command.resolve = (reply: unknown) => {
      if (isWrite && ++written === writes) process.kill(process.pid, 'SIGKILL');
      resolve(reply);
    };
    inFlight++;
    const settled = () => {
      inFlight--;
    };
    command.promise.then(settled, settled);
    return sendCommand.call(this, command, ...rest);
  };
}

const ignore = () => {};

async function createHandlers() {
  const secret = 'a-secret-for-tests-only-0123456789abcdef';
  const config = readGatewayConfig({
    ...{ MARU_NODE: 'doomed', MARU_REDIS_URL: process.env.MARU_REDIS_URL, MARU_PRESENCE_URL: 'http://localhost:1' },
    ...{ MARU_JWT_SECRET: secret, MARU_INTERNAL_SECRET: secret },
  });
  const logger = createLogger({ service: 'test', node: config.node, level: 'silent' });
  const now = () => performance.now();
  const metrics = createMetrics({ refusals: [], ends: [], limits: [], purposes: [] });
  const store = createStore({
    ...{ config, logger, now, onMalformed: ignore, onBatch: ignore, onAuditFailed: ignore, onHintFailed: ignore },
    ...{ onCall: ignore, onLimited: ignore, onSilent: ignore },
  });
  const { log, quota, audit, claims, connections } = store;
  const purposes = [connections.read, connections.append, connections.control, connections.ephemeralPub];
  await Promise.all(purposes.map((one) => one.untilReady(5_000)));
  const inbox = createRedisInbox({ store: connections.ephemeralPub, onSent: ignore, onLost: ignore });
  const tracing = { sendMessage: <T>(send: T) => send } as Tracing;
  const { carryOut, openDirectRoom, directory } = noteChanges({
    ...{ store, inbox },
    carryOut: createCarryOut({ log, quota, audit, perSecond: config.userMessagesPerSecond, storeNow: Date.now }),
  });
  const mayRead = async (userId: string, room: string) => void (await log.read(room, { userId }, { mode: 'none' }));
  return {
    ...messageHandlers({
      ...createMessages({ config, tracing, store, log, inbox, metrics }),
      ...{ claims, mayBeArchived: () => false },
    }),
    ...moderationHandlers({ carryOut, directory, moderation: undefined as never }),
    ...createInboxHandlers({ store, readState: store.readState, inbox, mayRead }),
    'room:create': async ({ user }: Caller, request: { user?: string }) => ({
      data: await (request.user === undefined
        ? directory.create(user.id, request as Parameters<typeof directory.create>[1])
        : openDirectRoom(user, request.user)),
    }),
  };
}

const { event, user, request, writes } = JSON.parse(process.argv[2] as string) as Doom;
const handlers = await createHandlers();
const caller: Caller = {
  ...{ user: { id: user, name: user }, roles: [], revoked: false, queues: new WorkQueues(), subscriptions: new Map() },
  ...{ charge: ignore, chargeEvents: ignore },
};
dieAfter(writes);
await (handlers as unknown as CallHandlers)[event](caller, request as never);
// Work after the answer may also be interrupted.
for (let idle = false; !idle; ) {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  idle = inFlight === 0;
}
process.exit(0);
