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

const escaped = (name: string): string => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** For a pattern: of names that begin alike, the longest counts. */
export const longestFirst = (names: Iterable<string>): string[] =>
  [...new Set(names)].sort((a, b) => b.length - a.length).map(escaped);

/** `words`: parts of a pattern. A particle may follow a name. */
export const mentionPattern = (words: readonly string[]): string =>
  `(?<![\\p{L}\\p{N}])@(?:${words.join('|')})(?![A-Za-z0-9])`;

/** Those of the names that the text mentions. */
function namesIn(text: string, names: Iterable<string>): Set<string> {
  const found = text.matchAll(new RegExp(mentionPattern(longestFirst(names)), 'gu'));
  return new Set(Array.from(found, ([mention]) => mention.slice(1)));
}

/**
 * The ids of the chosen users whose names are still in the text. A longer name that is only known
 * is not the mention of a shorter one.
 */
export function mentionsIn(text: string, chosen: readonly Mentioned[], known: Names = new Map()): string[] {
  const found = namesIn(text, [...chosen.map(({ name }) => name), ...known.values()]);
  const ids = chosen.filter(({ name }) => found.has(name)).map(({ id }) => id);
  // A room mention includes all users.
  if (ids.includes(MENTION_ROOM)) return [MENTION_ROOM];
  return [...new Set(ids)].slice(0, LIMITS.mentionsMax);
}

/**
 * Whom a draft mentions, by their names. Of people with one name, it is the one noted last. The
 * whole room must be chosen.
 */
export function foundIn(draft: string, names: Names, ownId: string): Mentioned[] {
  if (!draft.includes('@')) return [];
  const people = new Map([...names].filter(([id]) => id !== ownId).map(([id, name]) => [name, id]));
  const found = namesIn(draft, [...people.keys(), ...names.values()]);
  return [...people].flatMap(([name, id]) => (found.has(name) ? [{ id, name }] : []));
}

export const isMentioned = (mentions: readonly string[], userId: string): boolean =>
  mentions.includes(userId) || mentions.includes(MENTION_ROOM);

/** The mentions of a message that an edit keeps: those whose names are still in the text. */
export function keptMentions(
  message: { text: string; mentions: readonly string[] },
  text: string,
  names: Names,
): string[] {
  const [after, before] = [text, message.text].map((one) => namesIn(one, names.values()));
  return message.mentions.filter((id) => {
    const name = names.get(id);
    // The word for the room depends on the author's language, so any `@` counts.
    if (id === MENTION_ROOM || name === undefined) return text.includes('@');
    return after?.has(name) || !before?.has(name);
  });
}
