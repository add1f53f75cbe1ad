/** Reports of nodes, and questions between nodes for administrators. */
import type { Logger } from '@maru/service-kit';
import { FIELDS, type GatewayConfig } from '../config.ts';
import { BusyRooms, openRooms } from '../nodes/busy-rooms.ts';
import { createMeasure } from '../nodes/measure.ts';
import { sessionsOnNode, type UsersQuery, usersOnNode } from '../nodes/online-users.ts';
import { createProbe } from '../nodes/probe.ts';
import { createQuestions } from '../nodes/questions.ts';
import { createNodeReports } from '../nodes/reports.ts';
import { shownSettings } from '../nodes/shown-settings.ts';
import { gatewayVersion } from '../nodes/version.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import type { ArchiveReads } from './archive-reads.ts';
import type { createRooms } from './rooms.ts';
import type { Store } from './store.ts';

/** Any room works: the probe only checks whether presence answers. */
const PROBED_ROOM = 'lobby';

export interface NodesOptions {
  config: GatewayConfig;
  environment: Record<string, string | undefined>;
  logger: Logger;
  store: Store;
  archive: ArchiveReads | undefined;
  rooms: ReturnType<typeof createRooms>;
  registry: SessionRegistry;
  metrics: GatewayMetrics;
  draining: () => boolean;
  now: () => number;
}

export function createNodes(options: NodesOptions) {
  const { config, environment, logger, store, archive, rooms, registry, metrics, draining, now } = options;
  const { delivery, presence } = rooms;
  const { control } = store.connections;
  const storeNow = store.health.now;
  const busy = new BusyRooms();
  const questions = createQuestions({
    ...{ store: control, subscriber: store.ephemeralSubscriber, node: config.node, logger },
    answerers: {
      users: (query) => usersOnNode(registry.all(), query as UsersQuery),
      sessions: (userId) => sessionsOnNode(registry.sessionsOf(String(userId))),
      rooms: (limit) => busy.sample(openRooms(registry.all(), store.seen.headOf), Number(limit), now()),
    },
  });
  const reports = createNodeReports({
    ...{ store: control, node: config.node, storeNow, logger },
    measure: createMeasure({
      version: gatewayVersion(),
      connections: () => registry.size,
      rooms: () => delivery.size,
      draining,
      redis: () => (store.health.degraded ? 'failing' : 'ok'),
      presence: createProbe(() => presence.counts([PROBED_ROOM])),
      archive:
        archive === undefined ? async () => 'off' : createProbe(() => archive.read(async (tx) => tx.query('SELECT 1'))),
      registry: metrics.registry,
    }),
  });
  return { questions, reports, settings: () => shownSettings(FIELDS, config, environment) };
}
