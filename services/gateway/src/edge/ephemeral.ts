/**
 * The ephemeral plane: events that may be lost travel through the Socket.IO adapter to a room's
 * connections on every node. It MUST NOT disturb the durable plane, so every failure of its Redis
 * connections ends here as a counted error.
 */
import { displayName, entrySeq, roomId, type ServerEvents, type TypingSignal, userId } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { DefaultEventsMap, Server } from 'socket.io';
import { z } from 'zod';

export interface Ephemeral {
  /** Sends a typing event to the room's connections on all nodes, except the given one. */
  typing(event: TypingSignal, exceptConnectionId?: string): void;
}

export interface EphemeralStore {
  store: RedisStore;
  /** Subscriptions of this plane only, so that they cannot delay those of the rooms. */
  subscriber: {
    want(channel: string, handler: (payload: string) => void): void;
    unsubscribe(channel: string): Promise<void>;
  };
  onError: (stage: EphemeralStage, error: unknown) => void;
}
export type EphemeralStage = 'publish' | 'subscribe' | 'receive';

/**
 * The Socket.IO room for ephemeral events of a chat room. The adapter takes room names of exactly
 * 20 characters for socket ids and would send their events to every node, so those get one more.
 */
export function ephemeralRoom(room: string): string {
  const name = `signals:${room}`;
  return name.length === 20 ? `${name}:` : name;
}

export function createEphemeral(io: Server<DefaultEventsMap, ServerEvents, DefaultEventsMap, unknown>): Ephemeral {
  return {
    typing(event, exceptConnectionId) {
      // Volatile: nothing is queued for a connection that cannot take the event now.
      io.to(ephemeralRoom(event.room))
        .except(exceptConnectionId ?? [])
        .volatile.emit('typing', event);
    },
  };
}

const PAYLOAD_BYTES_MAX = 4_096;

/**
 * The adapter's message type for an `emit` to rooms. Its other types disconnect clients, read
 * handshakes or raise events.
 */
const ADAPTER_BROADCAST = 3;
const typingBroadcast = z.object({
  type: z.literal(ADAPTER_BROADCAST),
  data: z.strictObject({
    opts: z.object({ rooms: z.array(z.string().startsWith('signals:')).length(1), except: z.array(z.string()).max(1) }),
    packet: z.strictObject({
      type: z.literal(2),
      nsp: z.literal('/').optional(),
      data: z.tuple([
        z.literal('typing'),
        z.strictObject({
          room: roomId,
          user: z.strictObject({ id: userId, name: displayName }),
          active: z.boolean(),
          thread: entrySeq.optional(),
        }),
      ]),
    }),
  }),
});

/** The adapter executes whatever it receives, so it receives only what a gateway sends. */
export function isTypingBroadcast(payload: Buffer): boolean {
  if (payload.length > PAYLOAD_BYTES_MAX) return false;
  return typingBroadcast.safeParse(JSON.parse(payload.toString())).success;
}

/**
 * The sharded adapter over connections of its own. The adapter neither catches a failed command nor
 * survives a malformed message, and an uncaught error would end the process. So it gets facades
 * instead of Redis clients: they catch and count errors, and pass on only valid messages.
 */
export function createEphemeralAdapter(options: EphemeralStore): ReturnType<typeof createShardedAdapter> {
  const { store, subscriber, onError } = options;
  let onMessage: (channel: Buffer, payload: Buffer) => void = () => {};
  const pub = {
    spublish: (channel: string, payload: string | Buffer) =>
      store
        .at(channel, (redis) => redis.spublish(channel, payload))
        .catch((error: unknown) => {
          onError('publish', error);
          return 0;
        }),
    // The number of nodes subscribed to a channel, which is the last argument.
    send_command: (command: string, args: string[], callback: (error: unknown, reply?: unknown) => void) => {
      store
        .at(args.at(-1) ?? '', (redis) => redis.call(command, ...args))
        .then(
          (reply) => callback(null, reply),
          (error: unknown) => callback(error),
        );
    },
  };
  const sub = {
    ssubscribe(channel: string) {
      subscriber.want(channel, (text) => {
        const payload = Buffer.from(text);
        try {
          if (!isTypingBroadcast(payload)) throw new Error('not an ephemeral event of a gateway');
          onMessage(Buffer.from(channel), payload);
        } catch (error) {
          onError('receive', error);
        }
      });
    },
    sunsubscribe(channels: string | string[]) {
      for (const channel of [channels].flat())
        subscriber.unsubscribe(channel).catch((error: unknown) => onError('subscribe', error));
    },
    on(_event: 'smessageBuffer', handler: (channel: Buffer, payload: Buffer) => void) {
      onMessage = handler;
    },
  };
  return createShardedAdapter(pub, sub, { channelPrefix: 'socket.io', subscriptionMode: 'dynamic' });
}
