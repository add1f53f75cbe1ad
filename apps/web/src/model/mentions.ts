/** Mentions in an unfinished text: suggestions, and which users the text mentions. Pure. */
import { LIMITS } from '@maru/protocol/limits';
import type { Names } from './names.ts';

export const MENTION_ROOM = '@room';
/** A longer word after an `@` is not a name. */
const QUERY_CHARS_MAX = LIMITS.nameCharsMax;
const OFFERED_MAX = 6;

/** A user who can be mentioned, or the whole room. */
export interface Mentioned {
  id: string;
  name: string;
}

export interface MentionQuery {
  /** Index of the `@`. */
  at: number;
  typed: string;
}

/** The unfinished mention before the caret. */
export function mentionQuery(text: string, caret: number): MentionQuery | null {
  const before = text.slice(Math.max(0, caret - QUERY_CHARS_MAX - 1), caret);
  const found = /(?:^|\s)@([^\s@]*)$/.exec(before);
  const typed = found?.[1];
  return typed === undefined ? null : { at: caret - typed.length - 1, typed };
}

export interface Offer {
  names: Names;
  ownId: string;
  /**
   * The word for the whole room in the reader's language. Null if the reader may not mention it.
   */
  everyone: string | null;
}

/** Users whose name, or a word of it, begins with the typed text. */
export function offeredFor({ typed }: MentionQuery, { names, ownId, everyone }: Offer): Mentioned[] {
  const wanted = typed.toLocaleLowerCase();
  const begins = (name: string) => {
    const low = name.toLocaleLowerCase();
    return low.startsWith(wanted) || low.includes(` ${wanted}`);
  };
  const offered: Mentioned[] = everyone !== null && begins(everyone) ? [{ id: MENTION_ROOM, name: everyone }] : [];
  // Most recently noted names first.
  for (const [id, name] of [...names].reverse()) {
    if (offered.length >= OFFERED_MAX) break;
    if (id !== ownId && begins(name)) offered.push({ id, name });
  }
  return offered;
}

/** Replaces the typed text with a name, and returns the new caret. */
export function insertAt(text: string, { at, typed }: MentionQuery, written: string): { text: string; caret: number } {
  const rest = text.slice(at + 1 + typed.length);
  return { text: text.slice(0, at) + written + rest, caret: at + written.length };
}

/** The ids of the chosen users whose names are still in the text. */
export function mentionsIn(text: string, chosen: readonly Mentioned[]): string[] {
  const ids = chosen.filter(({ name }) => text.includes(`@${name}`)).map(({ id }) => id);
  // A room mention includes all users.
  if (ids.includes(MENTION_ROOM)) return [MENTION_ROOM];
  return [...new Set(ids)].slice(0, LIMITS.mentionsMax);
}

export const isMentioned = (mentions: readonly string[], userId: string): boolean =>
  mentions.includes(userId) || mentions.includes(MENTION_ROOM);

/** The mentions of a message that an edit keeps: those whose names are still in the text. */
export function keptMentions(
  message: { text: string; mentions: readonly string[] },
  text: string,
  names: Names,
): string[] {
  return message.mentions.filter((id) => {
    const name = names.get(id);
    // The word for the room depends on the author's language, so any `@` counts.
    if (id === MENTION_ROOM || name === undefined) return text.includes('@');
    return text.includes(`@${name}`) || !message.text.includes(`@${name}`);
  });
}
