/**
 * The ephemeral plane: what may be lost travels through the Socket.IO adapter to the members of a room on every node. It must
 * never hurt the durable plane, so every failure of its Redis connections ends here, as a counted error.
 */
import { displayName, roomId, type ServerEvents, type TypingSignal, userId } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { DefaultEventsMap, Server } from 'socket.io';
import { z } from 'zod';
import type { Subscriber } from '../delivery/subscriber.ts';

export interface Ephemeral {
  /** To all members of the room except one connection. */
  typing(signal: TypingSignal, exceptSocketId: string): void;
}

/**
 * The Socket.IO room for signals of a chat room. The adapter takes rooms of exactly 20 characters for socket ids and would send
 * their signals to every node, so those get one more.
 */
export function signalRoom(room: string): string {
  const name = `signals:${room}`;
  return name.length === 20 ? `${name}:` : name;
}

export function createEphemeral(io: Server<DefaultEventsMap, ServerEvents, DefaultEventsMap, unknown>): Ephemeral {
  return {
    typing(signal, exceptSocketId) {
      // Volatile: a connection that cannot take it just now goes without, so that nothing is ever queued for it.
      io.to(signalRoom(signal.room)).except(exceptSocketId).volatile.emit('typing', signal);
    },
  };
}

const PAYLOAD_BYTES_MAX = 4_096;

/** The adapter's message for an `emit` to rooms; its other kinds can disconnect clients, read their handshakes or raise events. */
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
        z.strictObject({ room: roomId, user: z.strictObject({ id: userId, name: displayName }), active: z.boolean() }),
      ]),
    }),
  }),
});

/** The adapter would carry out whatever it is told, so it is told nothing but what this node's like would send. */
export function isTypingBroadcast(payload: Buffer): boolean {
  if (payload.length > PAYLOAD_BYTES_MAX) return false;
  return typingBroadcast.safeParse(JSON.parse(payload.toString())).success;
}

/**
 * The sharded adapter over connections of its own. It neither catches a failed command nor survives a malformed message, and an
 * uncaught error would end the process; so it gets facades that catch, count, and pass on only what parses.
 */
export function createEphemeralAdapter(options: {
  store: RedisStore;
  /** Its subscriptions: of signals alone, which must not hold up the rooms'. */
  subscriber: Subscriber;
  onError: (stage: 'publish' | 'subscribe' | 'receive', error: unknown) => void;
}): ReturnType<typeof createShardedAdapter> {
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
    // How many nodes listen on a channel, the last argument.
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
          if (!isTypingBroadcast(payload)) throw new Error('not a signal of ours');
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
