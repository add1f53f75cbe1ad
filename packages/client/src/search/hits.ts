/** The hits of a search: from answers, and as entries of joined rooms change them. Pure. */
import type { Entry, FoundMessage } from '@maru/protocol/events';
import { changeOf } from '../acts.ts';
import { snippetParts } from './snippet.ts';
import type { Hit } from './types.ts';

/** More than anybody looks through. The query has to be narrower. */
export const HITS_MAX = 500;

const hitOf = ({ room, seq, ts, from, snippet }: FoundMessage): Hit => ({
  ...{ room, seq, ts, from },
  snippet: snippetParts(snippet.text, snippet.marks),
});

/** A message that was found on an earlier page is there once. */
export function addHits(hits: readonly Hit[], messages: readonly FoundMessage[]): readonly Hit[] {
  const known = new Set(hits.map(({ room, seq }) => `${room} ${seq}`));
  const added = messages.filter(({ room, seq }) => !known.has(`${room} ${seq}`)).map(hitOf);
  return [...hits, ...added].slice(0, HITS_MAX);
}

/** No text is shown after its deletion, and none that was edited. */
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

/** Drops those of a room, from a `seq` on. */
export function dropHits(hits: readonly Hit[], room: string, above = 0): readonly Hit[] {
  const rest = hits.filter((hit) => hit.room !== room || hit.seq <= above);
  return rest.length === hits.length ? hits : rest;
}
