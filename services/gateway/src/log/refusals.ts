/** Error messages for refusals of the log. */
import { MaruError } from '@maru/protocol';

/** `untilTs` is 0 for a sanction without end. */
const until = (untilTs: number): string => (untilTs > 0 ? ` until ${new Date(untilTs).toISOString()}` : '');

/** The user may not enter a public room. */
export const noEntry = (why: 'closed' | 'banned', untilTs: number): MaruError =>
  new MaruError(
    'forbidden',
    why === 'closed' ? 'an administrator has closed this room' : `you are banned from this room${until(untilTs)}`,
  );

/** The user may not write in a room. */
export const noWriting = (why: 'closed' | 'banned' | 'muted' | 'read_only', untilTs: number): MaruError => {
  if (why === 'muted') return new MaruError('forbidden', `you are muted in this room${until(untilTs)}`);
  if (why === 'read_only') return new MaruError('forbidden', 'only moderators write in this room');
  return noEntry(why, untilTs);
};
