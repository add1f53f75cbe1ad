/** Schemas of single values in payloads: ids, names, texts, positions. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { hasHiddenInName, hasVisible } from './visible.ts';

/** Marks a zod issue that is reported as `too_large` rather than `invalid`. */
const TOO_LARGE = { params: { code: 'too_large' } } as const;

const ROOM_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,64}$/;

export const PRIVATE_ROOM_PREFIX = 'p-';
export const DIRECT_ROOM_PREFIX = 'd-';
/** In `mentions`: all users in the room. */
export const MENTION_ROOM = '@room';
export const GUEST_ID_PREFIX = 'guest-';

/** Only the server creates these ids, and only members see the rooms. */
export const isPrivateRoomId = (room: string): boolean =>
  room.startsWith(PRIVATE_ROOM_PREFIX) || room.startsWith(DIRECT_ROOM_PREFIX);

export const isDirectRoomId = (room: string): boolean => room.startsWith(DIRECT_ROOM_PREFIX);

/** Length in Unicode code points. A lone surrogate counts as one. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Size in bytes of UTF-8. A lone surrogate counts as three, like its replacement character. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

/**
 * A code point has at least one UTF-16 unit, and a unit has at most three bytes in UTF-8. So most
 * texts need no full count.
 */
const fitsCodePoints = (text: string, codePointsMax: number): boolean =>
  text.length <= codePointsMax || codePointLength(text) <= codePointsMax;
const fitsUtf8 = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || (text.length <= bytesMax && utf8Length(text) <= bytesMax);

/**
 * C0 and C1 controls, lone surrogates and bidi controls. They can make one name look like another.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must be refused
const UNSAFE_IN_NAME = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u;

export const label = (codePointsMax: number) =>
  z
    .string()
    .refine((value) => fitsCodePoints(value, codePointsMax), { message: `has at most ${codePointsMax} characters` })
    .refine((value) => !UNSAFE_IN_NAME.test(value), { message: 'must not hold control characters' })
    .refine((value) => !hasHiddenInName(value), { message: 'must not hold hidden characters' });

export const displayName = label(LIMITS.nameCharsMax).refine(hasVisible, { message: 'must not be blank' });

/** Empty, or with at least one visible character. */
export const optionalLabel = (codePointsMax: number) =>
  label(codePointsMax).refine((value) => value === '' || hasVisible(value), { message: 'must not be blank' });

export const userId = z
  .string()
  .min(1)
  .max(LIMITS.userIdCharsMax)
  .refine((value) => !UNSAFE_IN_NAME.test(value), { message: 'must not hold control characters' });

export const roomId = z.string().regex(ROOM_ID, 'is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit');

export const clientMsgId = z.string().regex(PRINTABLE_ASCII, 'is 1 to 64 printable ASCII characters');

export const text = z
  .string()
  .refine(hasVisible, { message: 'must not be blank' })
  .refine((value) => fitsUtf8(value, LIMITS.textBytesMax), {
    message: `has at most ${LIMITS.textBytesMax} bytes of UTF-8`,
    ...TOO_LARGE,
    abort: true,
  })
  .refine((value) => fitsCodePoints(value.trim(), LIMITS.textCodePointsMax), {
    message: `has at most ${LIMITS.textCodePointsMax} code points after trimming`,
    ...TOO_LARGE,
  });

export const seq = z.int().min(0);
/** The `seq` of an entry. */
export const entrySeq = z.int().min(1);

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const isOneGrapheme = (value: string): boolean => {
  const segments = graphemes.segment(value)[Symbol.iterator]();
  return segments.next().done !== true && segments.next().done === true;
};

export const emoji = z
  .string()
  .refine((value) => utf8Length(value) <= LIMITS.emojiBytesMax, {
    message: `has at most ${LIMITS.emojiBytesMax} bytes of UTF-8`,
    abort: true,
  })
  .refine((value) => !UNSAFE_IN_NAME.test(value) && hasVisible(value) && isOneGrapheme(value), {
    message: 'must be one visible character',
  });

/** Each user once. An empty list is the same as none. */
export const mentions = z
  .array(userId)
  .max(LIMITS.mentionsMax)
  .refine((users) => users.length === 1 || !users.includes(MENTION_ROOM), { message: '@room stands alone' })
  .transform((users) => (users.length === 0 ? undefined : [...new Set(users)]));

export const epoch = z.string().min(1).max(LIMITS.epochCharsMax);
export const limit = z.int().min(1).max(LIMITS.pageEntriesMax).default(LIMITS.pageEntriesDefault);
export const cursor = z.string().min(1).max(256);

export const position = z.object({ epoch, seq });

/** `auth.resume` of the handshake, with at most as many rooms as a connection may join. */
export const resume = z
  .record(z.string(), position)
  .refine((rooms) => Object.keys(rooms).length <= LIMITS.roomsPerConnectionMax, {
    message: `names at most ${LIMITS.roomsPerConnectionMax} rooms`,
  });
