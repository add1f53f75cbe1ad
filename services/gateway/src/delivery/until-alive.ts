/** Waits until the announcements of a channel arrive. */
import { MaruError } from '@maru/protocol';
import type { Subscriber } from './subscriber.ts';

const SUBSCRIBER_POLL_MS = 25;

/**
 * A node that was stopped does not know what it missed. It answers only when its subscriber is
 * alive again.
 */
export async function untilAlive(subscriber: Subscriber, channel: string, deadlineMs: number): Promise<void> {
  for (let waitedMs = 0; !subscriber.isAlive(channel); waitedMs += SUBSCRIBER_POLL_MS) {
    if (waitedMs >= deadlineMs)
      throw new MaruError('unavailable', 'this node is cut off from the store', { retryAfterMs: 500 });
    await new Promise((resolve) => setTimeout(resolve, SUBSCRIBER_POLL_MS));
  }
}
