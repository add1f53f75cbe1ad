/** Settings of the limits of one connection, of a user's connections, and of a node. */
import { LIMITS } from '@maru/protocol';
import { asInteger } from '@maru/service-kit';

export const CONNECTION_FIELDS = {
  connectionEventsPerSecond: {
    env: 'MARU_CONNECTION_EVENTS_PER_SECOND',
    doc: 'events of one connection per second',
    parse: asInteger(1, 100_000),
    fallback: LIMITS.connectionEventsPerSecond as number,
  },
  connectionEventsBurst: {
    env: 'MARU_CONNECTION_EVENTS_BURST',
    doc: 'burst of events of one connection',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.connectionEventsBurst as number,
  },
  userEventsPerSecond: {
    env: 'MARU_USER_EVENTS_PER_SECOND',
    doc: 'events of one user per second on one node; none: 2 × MARU_CONNECTION_EVENTS_PER_SECOND',
    parse: asInteger(1, 1_000_000),
    fallback: undefined,
  },
  userEventsBurst: {
    env: 'MARU_USER_EVENTS_BURST',
    doc: 'burst of events of one user on one node; none: 10 × MARU_CONNECTION_EVENTS_BURST',
    parse: asInteger(1, 10_000_000),
    fallback: undefined,
  },
  connectionBytesPerSecond: {
    env: 'MARU_CONNECTION_BYTES_PER_SECOND',
    doc: 'bytes of one connection per second, in packets above 1 KB; none: 5,000 × MARU_CONNECTION_EVENTS_PER_SECOND',
    parse: asInteger(1_000, 1_000_000_000),
    fallback: undefined,
  },
  connectionBytesBurst: {
    env: 'MARU_CONNECTION_BYTES_BURST',
    doc: 'burst of bytes of one connection; none: 10,000 × MARU_CONNECTION_EVENTS_BURST',
    parse: asInteger(1_000, 1_000_000_000),
    fallback: undefined,
  },
  connectionRequestsMax: {
    env: 'MARU_CONNECTION_REQUESTS_MAX',
    doc: 'requests of one connection in progress; none: the burst of events and those of a second',
    parse: asInteger(1, 1_000_000),
    fallback: undefined,
  },
  connectionsPerUserMax: {
    env: 'MARU_CONNECTIONS_PER_USER_MAX',
    doc: 'connections of one user on one node',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.connectionsPerUserMax as number,
  },
  connectionsPerUserClusterMax: {
    env: 'MARU_CONNECTIONS_PER_USER_CLUSTER_MAX',
    doc: 'connections of one user in the cluster; a node with 5 or fewer of them does not count',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.connectionsPerUserClusterMax as number,
  },
  connectionSlotsTtlMs: {
    env: 'MARU_CONNECTION_SLOTS_TTL_MS',
    doc: "the connections of a node that died count for their users' limit for this long",
    parse: asInteger(3_000, 600_000),
    fallback: 30_000,
  },
  connectionsMax: {
    env: 'MARU_CONNECTIONS_MAX',
    doc: 'connections of this node, signed in or not; further handshakes are answered 503',
    parse: asInteger(1, 10_000_000),
    fallback: 50_000,
  },
  memoryMaxMb: {
    env: 'MARU_MEMORY_MAX_MB',
    doc: "memory of this process in MiB, such as its container's limit; above 85% of it handshakes are answered 503",
    parse: asInteger(1, 10_000_000),
    fallback: undefined,
  },
} as const;
