/**
 * The price in bytes of data that stays in the store. It is at least the memory that Redis uses. So
 * a quota of bytes limits the memory that a user can fill.
 */
import { GUEST_ID_PREFIX, type UserRef } from '@maru/protocol';
import type { Change } from '../log/room-log.ts';
import type { BucketSpec } from './token-bucket.ts';

/** Share of an entry in the stream and in the remembered ids. */
const ENTRY_BYTES = 512;
/** A permanent room. An empty stream alone takes 4 KiB. */
export const ROOM_BYTES = 8_192;
/** A room that a join creates, which expires if nothing is written. */
export const EMPTY_ROOM_BYTES = 512;
export const MEMBER_BYTES = 512;
/** The first read position of a user in a room. */
export const READ_POSITION_BYTES = 320;

/** The allocator of Redis rounds sizes up, by a quarter at most. */
const ALLOCATED = 1.25;

/**
 * Copies of an act: data and request of its entry, then the sanction, role or setting, and the
 * event of the audit.
 */
const ACT_COPIES = 4;

/** JSON escapes control characters, so a stored text may be several times its own size. */
export const entryBytes = (user: UserRef, text: string): number =>
  entryOf(user, Buffer.byteLength(JSON.stringify(text)));

/** An act's entry and its effect. */
export const actBytes = (user: UserRef, act: object): number =>
  MEMBER_BYTES + entryOf(user, ACT_COPIES * Buffer.byteLength(JSON.stringify(act)));

/** What a change adds to the overlay of its message: its effect, and which entry is the newest. */
const OVERLAY_BYTES = 480;
/** The sorted set of a message's reactions, if it is the first one, and a member of it. */
const REACTION_BYTES = 384;
/**
 * Copies of a reaction and its user: in the entry, in the set and its index, and in the overlay.
 */
const REACTION_COPIES = 4;
/** A deletion by a moderator is also an audit event. */
const DELETION_COPIES = 2;
/** One mention of a user. */
const MENTION_BYTES = 256;

/** The entry of a change and its effect on the message. */
export function changeBytes(user: UserRef, change: Change): number {
  const bytes = Buffer.byteLength(JSON.stringify(change));
  switch (change.type) {
    case 'react':
      return OVERLAY_BYTES + REACTION_BYTES + entryOf(user, REACTION_COPIES * (bytes + Buffer.byteLength(user.id)));
    case 'delete':
      return OVERLAY_BYTES + entryOf(user, DELETION_COPIES * bytes);
    case 'pin':
      return OVERLAY_BYTES + entryOf(user, bytes);
    default: {
      const mentions = change.mentions ?? [];
      // A mention of the room also stores its author.
      const authors = mentions.length > 0 ? Buffer.byteLength(user.id) : 0;
      return OVERLAY_BYTES + mentions.length * MENTION_BYTES + entryOf(user, bytes + authors);
    }
  }
}

const entryOf = ({ id, name }: UserRef, contentBytes: number): number =>
  ENTRY_BYTES + Math.ceil(ALLOCATED * (2 * Buffer.byteLength(id) + Buffer.byteLength(name) + contentBytes));

export const isGuest = (userId: string): boolean => userId.startsWith(GUEST_ID_PREFIX);

const HOUR_S = 3_600;
/** Bytes an hour for each message a second: the size of short messages at the full rate. */
const USER_BYTES_PER_RATE = 2_500_000;
const GUEST_BYTES_PER_RATE = 100_000;

export interface StoredBytesSettings {
  userMessagesPerSecond: number;
  userBytesPerHour: number | undefined;
  guestBytesPerHour: number | undefined;
}

/**
 * The bucket of a user's bytes: its capacity is the bytes of one hour, and it refills within an
 * hour.
 */
export function createBytesOf(settings: StoredBytesSettings): (userId: string) => BucketSpec {
  const rate = settings.userMessagesPerSecond;
  const hourly = (bytes: number): BucketSpec => ({ perSecond: bytes / HOUR_S, burst: bytes });
  const user = hourly(settings.userBytesPerHour ?? rate * USER_BYTES_PER_RATE);
  const guest = hourly(settings.guestBytesPerHour ?? rate * GUEST_BYTES_PER_RATE);
  return (userId) => (isGuest(userId) ? guest : user);
}
