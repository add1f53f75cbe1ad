/** How many others have read a message. Pure. */
import type { Message } from '@maru/client/conversation';

export function readersOf(readers: ReadonlyMap<string, number>, message: Message, ownId: string): number {
  let count = 0;
  for (const [user, seq] of readers) if (user !== ownId && seq >= message.seq) count++;
  return count;
}
