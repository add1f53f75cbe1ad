/** The seam to a user's connections on all nodes. */
import type { InboxEvent } from '@maru/protocol';

export interface Inbox {
  /**
   * Sends the event to every connection of the users, as soon as possible. Never throws: an inbox
   * event may be lost.
   */
  tell(userIds: readonly string[], event: InboxEvent): void;
}
