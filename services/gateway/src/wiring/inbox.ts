/** Parts about a user rather than a room: the inbox, the room list, and read positions. */
import type { Inbox } from '../inbox/inbox.ts';
import { InboxChannels } from '../inbox/inbox-channels.ts';
import { createReadMyRooms } from '../inbox/my-rooms.ts';
import type { ReadState } from '../inbox/read-state.ts';
import { createRedisInbox } from '../inbox/redis-inbox.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import type { MayRead } from '../requests/handler.ts';
import { inboxHandlers } from '../requests/inbox.ts';
import type { CarryOut } from '../rooms/acts.ts';
import { createMemberLooks } from '../rooms/member-looks.ts';
import { noteCreations, noteDeletions, noteDirectRooms, noteMemberships } from '../rooms/memberships.ts';
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
    // A separate connection, so that thousands of users do not delay announcements of rooms.
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

/** Acts and deletions that also change lists and notify users. */
export function noteChanges({ store, inbox, carryOut }: { store: Store; inbox: Inbox; carryOut: CarryOut }) {
  const { roomList, directory, directRooms } = store;
  const parts = { roomList, inbox, room: createMemberLooks(store.connections.read) };
  return {
    carryOut: noteMemberships(carryOut, parts),
    createRoom: noteCreations(directory.create, parts),
    openDirectRoom: noteDirectRooms(directRooms.open, parts),
    directory: { ...directory, delete: noteDeletions(directory.delete, parts) },
  };
}

export function createInboxHandlers(options: { store: Store; readState: ReadState; inbox: Inbox; mayRead: MayRead }) {
  const { store, readState, inbox, mayRead } = options;
  const { roomList, quota } = store;
  const readMyRooms = createReadMyRooms({ roomList, readState });
  return inboxHandlers({ roomList, readState, quota, inbox, mayRead, readMyRooms });
}
