/** Answers of the presence service. */
import { z } from 'zod';

export const count = z.int().min(0);
/**
 * 0 for an empty room. Otherwise it grows with each difference, even if the room was empty in
 * between.
 */
export const version = z.int().min(0);

export const presenceUser = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(['online', 'away', 'dnd']),
    text: z.string().optional(),
  })
  .transform(({ text, ...user }) => (text === undefined ? user : { ...user, text }));

/** `startedAt` and `nodeEpoch` are microseconds of the clock of Redis. */
export const syncAnswer = z.object({ startedAt: z.int(), nodeEpoch: z.int() });

/** Answers a report or a lease renewal. `resync`: the service needs the full state of the node. */
export const resyncAnswer = z.object({ resync: z.boolean() });

export const departAnswer = z.object({});
export const statusAnswer = z.object({});

/** The presence of single users, in the order of the request. */
export const usersAnswer = z.object({
  users: z.array(
    z.object({
      id: z.string(),
      /** The reader and the user are in the same room now. */
      isNear: z.boolean(),
      status: z.enum(['online', 'away', 'dnd', 'offline']),
      text: z.string().exactOptional(),
      /** When the user was last seen (ms). Only for offline users, and for a limited time. */
      lastSeenTs: z.int().min(0).exactOptional(),
    }),
  ),
});
export type UserPresence = z.output<typeof usersAnswer>['users'][number];

/** A snapshot of a room. `users` is absent above `LIMITS.largeRoomUsers`. */
export const roomAnswer = z.object({ version, count, users: z.array(presenceUser).optional() });
export type RoomAnswer = z.output<typeof roomAnswer>;

export const countsAnswer = z.object({
  counts: z.record(z.string(), count),
  versions: z.record(z.string(), version),
});
