/** Finds mentions and stacks of combining marks in text between markup. Pure. */
import { longestFirst, MENTION_ROOM, mentionPattern } from '../model/mentions.ts';
import type { Names } from '../model/names.ts';

export type Mark = { kind: 'text'; text: string } | { kind: 'mention'; text: string; isOwn: boolean } | Stack;

/** A character with so many combining marks that they would cover other lines. */
interface Stack {
  kind: 'stack';
  text: string;
}

/**
 * More marks than any script needs: Vietnamese and Thai use two, Hebrew four. Hangul uses letters,
 * not marks.
 */
const STACK = '[^\\p{M}\\n]\\p{M}{6,}';

/** The word for the whole room depends on the author's language. */
const ROOM_WORD = '[\\p{L}]+';

export interface Mentioning {
  mentions: readonly string[];
  names: Names;
  ownId: string;
}

export function marksIn(text: string, { mentions, names, ownId }: Mentioning): Mark[] {
  const ids = new Map<string, string>();
  for (const id of mentions) {
    const name = names.get(id);
    if (name !== undefined) ids.set(name, id);
  }
  const wanted = [...longestFirst(ids.keys()), ...(mentions.includes(MENTION_ROOM) ? [ROOM_WORD] : [])];
  const mention = wanted.length === 0 ? '' : `|${mentionPattern(wanted)}`;
  const marks: Mark[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(new RegExp(`${STACK}${mention}`, 'gu'))) {
    if (index > at) marks.push({ kind: 'text', text: text.slice(at, index) });
    at = index + found.length;
    const id = ids.get(found.slice(1)) ?? MENTION_ROOM;
    if (found.startsWith('@')) marks.push({ kind: 'mention', text: found, isOwn: id === ownId || id === MENTION_ROOM });
    else marks.push({ kind: 'stack', text: found });
  }
  if (at < text.length) marks.push({ kind: 'text', text: text.slice(at) });
  return marks;
}

/** The length of three of the longest emoji, with spaces. */
const JUMBO_CHARS_MAX = 64;

/** Whether a text consists of one to three emoji. Such a text is shown large. */
export const isJumbo = (text: string): boolean =>
  text.length <= JUMBO_CHARS_MAX && /^(?:\s*\p{RGI_Emoji}){1,3}\s*$/v.test(text);
