/** Builds the parts that write and change messages. */
import type { GatewayConfig } from '../config.ts';
import type { Inbox } from '../inbox/inbox.ts';
import { createMembersOf } from '../inbox/members-of.ts';
import { createNotify } from '../inbox/notify.ts';
import type { RoomLog } from '../log/room-log.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import type { Tracing } from '../ops/tracing.ts';
import { createSendMessage } from '../requests/messages.ts';
import { createChangeMessage } from '../rooms/changes.ts';
import { createChargedWrite } from '../rooms/charged-write.ts';
import type { Store } from './store.ts';

/** Maximum direct rooms whose two users a node caches. */
const DIRECT_ROOMS_MAX = 50_000;

export function createMessages(options: {
  config: GatewayConfig;
  tracing: Tracing;
  store: Store;
  log: RoomLog;
  inbox: Inbox;
  metrics: GatewayMetrics;
}) {
  const { config, tracing, store, log, inbox, metrics } = options;
  const perSecond = config.userMessagesPerSecond;
  const chargedWrite = createChargedWrite(store);
  const notify = createNotify({
    inbox,
    membersOf: createMembersOf({ store: store.connections.read, roomsMax: DIRECT_ROOMS_MAX }),
    onLost: () => metrics.inboxEvents.inc('lost', 1),
  });
  const changeMessage = createChangeMessage({
    ...{ log, chargedWrite, audit: store.audit, notify, perSecond },
    onOutcome: (type, outcome) => (type === 'send' ? metrics.accepted : metrics.changed).inc(outcome),
  });
  const sendMessage = createSendMessage({
    ...{ log, chargedWrite, changeMessage, notify, perSecond },
    onOutcome: metrics.accepted.inc,
  });
  return { sendMessage: tracing.sendMessage(sendMessage), changeMessage };
}
