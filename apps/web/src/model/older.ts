/** What the page shows above the oldest message. Pure. */
import type { MessageList } from '@maru/client/conversation';

export type OlderState = 'more' | 'beginning' | 'oldest-kept';

/** `firstKept`: the oldest entry on the server. Null while unknown. */
export function olderState({ hasOlder }: Pick<MessageList, 'hasOlder'>, firstKept: number | null): OlderState {
  if (hasOlder) return 'more';
  return firstKept !== null && firstKept > 1 ? 'oldest-kept' : 'beginning';
}
