/** Differences: the changes in a room. The service publishes them on a sharded channel of Redis. */
import { z } from 'zod';
import { count, presenceUser, version } from './answers.ts';

/** The channel of a room's differences. Its hash tag is the room, so it is on the room's shard. */
export const presenceDiffChannel = (room: string): string => `maru:presence:{${room}}:diffs`;

const diffMessage = z.object({
  room: z.string(),
  /** The version to which this difference applies. 0 if the room was empty. */
  prev: version,
  version,
  count,
  /** `joins` lists all users, because the room was too large for names until now. */
  whole: z.boolean(),
  joins: z.array(presenceUser),
  leaves: z.array(z.object({ id: z.string() })),
  updates: z.array(presenceUser),
});
export type DiffMessage = z.output<typeof diffMessage>;

/**
 * Twice the size of the largest difference with names: all users of a full room with the longest
 * names.
 */
const PAYLOAD_CHARS_MAX = 1_048_576;

/** Undefined if the payload is not a difference of this room, for example because it is forged. */
export function parseDiffMessage(room: string, payload: string): DiffMessage | undefined {
  if (payload.length > PAYLOAD_CHARS_MAX) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    return undefined;
  }
  const parsed = diffMessage.safeParse(json);
  return parsed.success && parsed.data.room === room ? parsed.data : undefined;
}
