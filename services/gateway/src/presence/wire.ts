/** What travels between this gateway and the presence service: operations, answers, and the differences on a room's channel. */
import type { Status, UserRef } from '@maru/protocol';
import { z } from 'zod';

export type Op =
  | { op: 'enter'; room: string; user: UserRef }
  | { op: 'leave'; room: string; userId: string }
  | { op: 'status'; userId: string; status: Status; text?: string; ifAbsent?: boolean };

const count = z.int().min(0);
/** 0 for an empty room; else it grows with each difference, also from one life of a room to the next. */
const version = z.int().min(0);

const presenceUser = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(['online', 'away', 'dnd']),
    text: z.string().optional(),
  })
  .transform(({ text, ...user }) => (text === undefined ? user : { ...user, text }));

export const syncAnswer = z.object({ startedAt: z.int(), nodeEpoch: z.int() });
export const reportAnswer = z.object({ resync: z.boolean() });
export const departAnswer = z.object({});
export const countsAnswer = z.object({
  counts: z.record(z.string(), count),
  versions: z.record(z.string(), version),
});

export const roomAnswer = z.object({ version, count, users: z.array(presenceUser).optional() });
export type RoomAnswer = z.output<typeof roomAnswer>;

export const wireDiff = z.object({
  room: z.string(),
  /** The version that this difference builds on; 0 where the room was empty. */
  prev: version,
  version,
  count,
  /** `joins` names everyone: the room was too large for names until now. */
  whole: z.boolean(),
  joins: z.array(presenceUser),
  leaves: z.array(z.object({ id: z.string() })),
  updates: z.array(presenceUser),
});
export type WireDiff = z.output<typeof wireDiff>;

/** A difference of the largest room that is told by name, with the longest names, takes less than half of it. */
const PAYLOAD_CHARS_MAX = 1_048_576;

/** Undefined for anything that is not a difference of this room: a forged or foreign payload. */
export function parseWireDiff(room: string, payload: string): WireDiff | undefined {
  if (payload.length > PAYLOAD_CHARS_MAX) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    return undefined;
  }
  const parsed = wireDiff.safeParse(json);
  return parsed.success && parsed.data.room === room ? parsed.data : undefined;
}
