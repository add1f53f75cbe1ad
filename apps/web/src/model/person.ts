/** A person's avatar: the first character of the name on a tinted background. */
import type { PresenceUser } from '@maru/protocol/events';

export const TINTS = 6;

/** Derived from the id, so all readers see the same tint. */
export function tintOf(userId: string): number {
  let hash = 0;
  for (let i = 0; i < userId.length; i++) hash = (hash * 31 + userId.charCodeAt(i)) >>> 0;
  return hash % TINTS;
}

/** The first grapheme, because a family emoji is one visible character. */
export function initialOf(name: string): string {
  const trimmed = name.trim();
  const [first] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(trimmed);
  return (first?.segment ?? '?').toLocaleUpperCase();
}

/** The own user first, then by name, then by id, so the order is stable. */
export function sortPeople(people: Iterable<PresenceUser>, ownId: string | null, language: string): PresenceUser[] {
  const collator = new Intl.Collator(language);
  return [...people].sort((a, b) => {
    if (a.id === ownId || b.id === ownId) return a.id === ownId ? -1 : 1;
    return collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
  });
}
