/** The hits of a search: added by answers, and changed by entries of joined rooms. Pure. */
import type { Entry, FoundMessage } from '@maru/protocol/events';
import { changeOf } from '../acts.ts';
import { snippetParts } from './snippet.ts';
import type { Hit } from './types.ts';

/** More hits than a user would look through. The user should narrow the query. */
export const HITS_MAX = 500;

const hitOf = ({ room, seq, ts, from, snippet }: FoundMessage): Hit => ({
  ...{ room, seq, ts, from },
  snippet: snippetParts(snippet.text, snippet.marks),
});

/** A message that was already found on an earlier page is added only once. */
export function addHits(hits: readonly Hit[], messages: readonly FoundMessage[]): readonly Hit[] {
  const known = new Set(hits.map(({ room, seq }) => `${room} ${seq}`));
  const added = messages.filter(({ room, seq }) => !known.has(`${room} ${seq}`)).map(hitOf);
  return [...hits, ...added].slice(0, HITS_MAX);
}

/** Removes deleted messages and replaces edited texts. */
export function applyEntries(hits: readonly Hit[], room: string, entries: readonly Entry[]): readonly Hit[] {
  return entries.reduce((before, entry) => {
    const change = changeOf(entry);
    if (change === null || !before.some((hit) => hit.room === room && hit.seq === change.seq)) return before;
    return before.flatMap((hit) => {
      if (hit.room !== room || hit.seq !== change.seq) return hit;
      if (change.type === 'message.delete') return [];
      return change.type === 'message.edit' ? { ...hit, snippet: snippetParts(change.text ?? '', []) } : hit;
    });
  }, hits);
}

/** Drops the hits in a room, from a `seq` on. */
export function dropHits(hits: readonly Hit[], room: string, above = 0): readonly Hit[] {
  const rest = hits.filter((hit) => hit.room !== room || hit.seq <= above);
  return rest.length === hits.length ? hits : rest;
}
