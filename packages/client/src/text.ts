/**
 * The contract's rules for room ids and texts. The server enforces them too. Checking here saves a
 * round trip.
 */
import { MaruError } from '@maru/protocol/errors';
import { LIMITS } from '@maru/protocol/limits';
import { hasVisible } from '@maru/protocol/visible';

const ROOM_ID = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${LIMITS.roomIdCharsMax - 1}}$`);

export const isRoomId = (value: string): boolean => ROOM_ID.test(value);

export function codePointCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

export type TextProblem = 'blank' | 'too_long';

/**
 * Why the server would refuse a text. Null if it would accept it. A text without a visible
 * character is blank.
 */
export function textProblem(text: string): TextProblem | null {
  const trimmed = text.trim();
  if (!hasVisible(text)) return 'blank';
  // A UTF-16 unit has at least one byte in UTF-8, so a huge text need not be counted.
  if (text.length > LIMITS.textBytesMax) return 'too_long';
  if (codePointCount(trimmed) > LIMITS.textCodePointsMax) return 'too_long';
  return new TextEncoder().encode(text).length > LIMITS.textBytesMax ? 'too_long' : null;
}

/** @throws MaruError `invalid` for a blank text, `too_large` for one above the limits. */
export function assertText(text: string): void {
  const problem = textProblem(text);
  if (problem === 'blank') throw new MaruError('invalid', 'text: must not be blank');
  if (problem === 'too_long') throw new MaruError('too_large', 'text: is longer than a message may be');
}

/** @throws MaruError `invalid`. */
export function assertRoomId(room: string): void {
  if (!isRoomId(room)) {
    throw new MaruError('invalid', 'room: is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit');
  }
}

/**
 * A new `clientMsgId`: 128 random bits as 32 hexadecimal digits. `crypto.randomUUID` is missing on
 * pages over plain HTTP, except on localhost. `getRandomValues` always exists.
 */
export function newClientMsgId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
