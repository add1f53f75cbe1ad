/** What reaches a user: the inbox of each user with a connection on this node. */
import { InboxChannels } from '../inbox/inbox-channels.ts';
import { createRedisInbox } from '../inbox/redis-inbox.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import type { Store } from './store.ts';

/** Longer than a client takes to reconnect. */
const LINGER_MS = 10_000;

export function createInbox(options: {
  store: Store;
  registry: SessionRegistry;
  metrics: GatewayMetrics;
  now: () => number;
}) {
  const { store, registry, metrics, now } = options;
  const count = metrics.inboxEvents.inc;
  const inboxChannels = new InboxChannels({
    // Not on the connection of the rooms: thousands of users must not delay their announcements.
    subscriber: store.ephemeralSubscriber,
    readersOf: registry.sessionsOf,
    lingerMs: LINGER_MS,
    onDelivered: (connections) => count('delivered', connections),
    onMalformed: () => count('malformed'),
    now,
  });
  registry.inform(inboxChannels);
  const inbox = createRedisInbox({
    store: store.connections.ephemeralPub,
    onSent: (events) => count('sent', events),
    onLost: (events) => count('lost', events),
  });
  return { inbox, inboxChannels };
}
