/** Compares two views of the same messages: I8. Pure. */
import { type MessageView, type ReactionView, USERS_SHOWN } from './message-view.ts';

/** @returns short descriptions of the differences in one message, without texts */
export function differencesOf(view: MessageView, fresh: MessageView): string[] {
  const found: string[] = [];
  const same = (what: string, mine: unknown, theirs: unknown) => {
    if (JSON.stringify(mine) !== JSON.stringify(theirs))
      found.push(`${what} is ${JSON.stringify(mine) ?? 'none'}, not ${JSON.stringify(theirs) ?? 'none'}`);
  };
  if (view.text !== fresh.text) found.push('the text differs');
  same('the author', view.from, fresh.from);
  same('ts', view.ts, fresh.ts);
  same('the thread', view.thread, fresh.thread);
  same('mentions', view.mentions.toSorted(), fresh.mentions.toSorted());
  same('edited', view.editedTs, fresh.editedTs);
  same('deleted', orderly(view.deleted), orderly(fresh.deleted));
  same('pinned', view.pinned, fresh.pinned);
  same('the number of replies', view.replies.n, fresh.replies.n);
  same('the newest reply', orderly(view.replies.newest), orderly(fresh.replies.newest));
  for (const emoji of new Set([...(view.reactions?.keys() ?? []), ...(fresh.reactions?.keys() ?? [])])) {
    const what = reactionDifference(view.reactions?.get(emoji), fresh.reactions?.get(emoji));
    if (what !== undefined) found.push(`reaction ${emoji}: ${what}`);
  }
  return found;
}

const orderly = (value: object | undefined) => value && Object.entries(value).toSorted();

function reactionDifference(view: ReactionView | undefined, fresh: ReactionView | undefined): string | undefined {
  if (view === undefined || fresh === undefined) return view === undefined ? 'missing' : 'not there';
  if (view.count !== fresh.count) return `count is ${view.count}, not ${fresh.count}`;
  const [mine, theirs] = [view.mine, fresh.mine];
  if (mine !== undefined && theirs !== undefined && mine !== theirs) return `mine is ${mine}, not ${theirs}`;
  if (view.users === undefined || fresh.users === undefined) return undefined;
  const shown = Math.min(fresh.count, USERS_SHOWN);
  const [known, given] = [view.users.slice(0, shown), fresh.users.slice(0, shown)];
  if (given.length !== shown) return `${given.length} users are named, not ${shown}`;
  return known.join('\n') === given.join('\n') ? undefined : `users are ${known}, not ${given}`;
}
