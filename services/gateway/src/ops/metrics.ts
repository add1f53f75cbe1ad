/**
 * The gateway's metrics, in base units. Label values are bounded: never a user, a socket or a room.
 * docs/metrics.md explains them to operators; a test compares that page with a scrape.
 */
import type { NotRecoveredReason } from '@maru/protocol';
import { collectProcessMetrics } from '@maru/service-kit';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Counted } from '../audit/sign-ins.ts';
import { FAST_PATH_STATES, type FastPathState, type WriteCounts } from '../edge/fast-path.ts';
import { FETCH_OUTCOMES } from '../identity/key-set.ts';
import type { ChangeResult } from '../log/room-log.ts';
import { tallyCounter, tallyCounterBy, tallyHistogram, tallyHistogramBy } from './tallies.ts';

/** Values that are read at a scrape. */
export interface MetricProbes {
  connections: () => number;
  sessions: () => number;
  rooms: () => number;
  /** Users to whose inbox this node subscribes. */
  inboxes: () => number;
  degraded: () => boolean;
  draining: () => boolean;
  /** Since the last read of administrators' orders. */
  ordersAgeMs: () => number;
  revocations: () => number;
  archive: () => boolean;
  /** Whether the store answers on the subscriber's connections. */
  subscriberAlive: () => boolean;
  /** Each connection to the store by its purpose, and whether it is ready. */
  redisConnections: () => Array<[purpose: string, ready: boolean]>;
  fastPath: () => { state: FastPathState; writes: WriteCounts };
  /** The backlog of each connection, in bytes. */
  queuedBytes: () => Iterable<number>;
}

/**
 * Label values that are known in advance. They start at 0, so that `rate()` sees their first
 * increment.
 */
export interface MetricLabels {
  refusals: readonly string[];
  ends: readonly string[];
  limits: readonly string[];
  purposes: readonly string[];
}

/** Includes the store's deadline. */
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1, 2.5];
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** A node knows the store's clock only to about a millisecond, so finer buckets are useless. */
const DELAY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Outcomes of changes. Other messages have some of them. */
const OUTCOMES: ReadonlyArray<ChangeResult['outcome']> = [
  'stored',
  'duplicate',
  'unchanged',
  'conflict',
  'refused',
  'forbidden',
  'slow',
  'not_found',
  'invalid',
];
const RESUMES: ReadonlyArray<NotRecoveredReason | 'recovered' | 'error'> = [
  'recovered',
  'too_far',
  'trimmed',
  'epoch',
  'error',
];

/** `delivered` counts connections, the others events. */
const INBOX_OUTCOMES = ['sent', 'lost', 'delivered', 'malformed'] as const;

export type GatewayMetrics = ReturnType<typeof createMetrics>;

export function createMetrics(labels: MetricLabels) {
  const registry = new Registry();
  collectProcessMetrics(registry);
  return {
    registry,
    ...createCounters(registry, labels),
    ...createHistograms(registry),
    /** Adds the metrics that are read at a scrape. Call it once their sources exist. */
    expose(probes: MetricProbes): void {
      registerGauges(registry, probes);
      registerFastPath(registry, probes.fastPath);
      registerBacklog(registry, probes.queuedBytes);
    },
  };
}

function createCounters(registry: Registry, labels: MetricLabels) {
  const counter = (name: string, help: string) => tallyCounter({ registry, name, help });
  const counterBy = <V extends string>(name: string, help: string, label: string, from: readonly V[] = []) =>
    tallyCounterBy<V>({ registry, name, help, label, from });
  const { refusals, ends, limits, purposes } = labels;
  return {
    connects: counter('maru_connects_total', 'Sessions that began'),
    disconnects: counterBy<string>('maru_disconnects_total', "Sessions that ended, by Socket.IO's reason", 'reason'),
    refusals: counterBy('maru_handshakes_refused_total', 'Connections that were not accepted', 'reason', refusals),
    keyFetches: counterBy('maru_key_set_fetches_total', 'Fetches of the key set', 'outcome', FETCH_OUTCOMES),
    ends: counterBy(
      'maru_connections_cut_total',
      'Connections that this node ended and whose clients may come back',
      'reason',
      ends,
    ),
    limited: counterBy('maru_requests_limited_total', 'Requests that a limit refused', 'limit', limits),
    accepted: counterBy(
      'maru_messages_sent_total',
      'Messages that clients sent, by outcome, without those that failed in the store',
      'outcome',
      OUTCOMES,
    ),
    changed: counterBy(
      'maru_messages_changed_total',
      'Edits, deletions, reactions and pins, by outcome, without those that failed in the store',
      'outcome',
      OUTCOMES,
    ),
    delivered: counter('maru_messages_delivered_total', 'Entries delivered to connections'),
    backfills: counter('maru_feed_fills_total', 'Reads of the log that closed a gap (backfills)'),
    resumeReads: counter(
      'maru_resume_reads_total',
      'Reads of the log for resumes; clients that missed the same share one',
    ),
    malformed: counter('maru_live_malformed_total', 'Malformed announcements that were dropped'),
    resumes: counterBy('maru_resumed_rooms_total', 'Rooms of resumes, by result', 'result', RESUMES),
    silentConnections: counterBy(
      'maru_redis_silent_connections_total',
      'Connections to the store that were closed because it did not answer on them',
      'purpose',
      purposes,
    ),
    inboxEvents: counterBy('maru_inbox_events_total', 'Inbox events, by outcome', 'outcome', INBOX_OUTCOMES),
    hintFailures: counter('maru_archive_hint_failures_total', 'Failed commands that hint the archiver at new entries'),
    signIns: createSignInCounter(registry),
    auditFailures: counter('maru_audit_failures_total', 'Audit events that are only in the log'),
    ephemeralErrors: counterBy<string>('maru_signal_errors_total', 'Failures of the ephemeral plane', 'stage'),
  };
}

/** Sign-ins are rare, so prom-client counts them itself. */
function createSignInCounter(registry: Registry): { inc: Counted } {
  const counter = new Counter({
    name: 'maru_sign_ins_total',
    help: 'Sign-ins by way and outcome, without those by a token of the host application',
    labelNames: ['way', 'outcome'],
    registers: [registry],
  });
  return { inc: (way, outcome) => counter.inc({ way, outcome }) };
}

function createHistograms(registry: Registry) {
  const histogramBy = (name: string, help: string, buckets: number[], labels: [string, string]) =>
    tallyHistogramBy({ registry, name, help, buckets, labels });
  return {
    requests: histogramBy(
      'maru_request_duration_seconds',
      'From a client event to its acknowledgement',
      REQUEST_SECONDS,
      ['event', 'outcome'],
    ),
    httpCalls: histogramBy(
      'maru_http_request_duration_seconds',
      'From an HTTP call to the end of its answer',
      REQUEST_SECONDS,
      ['route', 'status'],
    ),
    storeCalls: histogramBy(
      'maru_store_call_duration_seconds',
      'From a call of the room log to its answer, including the time in queues',
      STORE_SECONDS,
      ['call', 'outcome'],
    ),
    appendBatch: tallyHistogram({
      registry,
      name: 'maru_append_batch_messages',
      help: 'Messages that shared a round trip',
      buckets: BATCH_SIZES,
    }),
    deliveryDelay: tallyHistogram({
      registry,
      name: 'maru_delivery_delay_seconds',
      help: "From the append, by the store's clock, to the queues of this node's connections",
      buckets: DELAY_SECONDS,
    }),
  };
}

function registerGauges(registry: Registry, probes: MetricProbes): void {
  const gauge = gaugeIn(registry);
  const flag = (name: string, help: string, read: () => boolean) => gauge(name, help, () => Number(read()));
  gauge('maru_connections', 'Open transports, signed in or not', probes.connections);
  gauge('maru_sessions', 'Signed-in connections', probes.sessions);
  gauge('maru_rooms_open', 'Rooms this node is subscribed to', probes.rooms);
  gauge('maru_inboxes_open', 'Users whose inbox this node is subscribed to', probes.inboxes);
  flag('maru_store_degraded', '1 while the store does not answer or refuses messages', probes.degraded);
  gauge(
    'maru_orders_age_seconds',
    "Time since this node last read administrators' orders",
    () => probes.ordersAgeMs() / 1_000,
  );
  gauge('maru_revocations', 'Revoked users that this node knows', probes.revocations);
  flag('maru_archive_enabled', '1 if this node has an archive', probes.archive);
  flag('maru_draining', '1 while this node drains', probes.draining);
  flag('maru_subscriber_alive', "1 while the store answers on the subscriber's connections", probes.subscriberAlive);
  new Gauge({
    name: 'maru_redis_connection_up',
    help: '1 while a connection to the store is ready, by purpose',
    labelNames: ['purpose'],
    registers: [registry],
    collect() {
      for (const [purpose, ready] of probes.redisConnections()) this.set({ purpose }, Number(ready));
    },
  });
}

function registerFastPath(registry: Registry, fastPath: MetricProbes['fastPath']): void {
  new Gauge({
    name: 'maru_fast_path',
    help: "1 for the state of our WebSocket transport; unexpected: Engine.IO's transport is used",
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const state of FAST_PATH_STATES) this.set({ state }, Number(fastPath().state === state));
    },
  });
  new Counter({
    name: 'maru_room_writes_total',
    help: 'Batches of packets written to connections: directly, or into the queue of Engine.IO',
    labelNames: ['path'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [path, count] of Object.entries(fastPath().writes)) this.inc({ path }, count);
    },
  });
}

function registerBacklog(registry: Registry, queuedBytes: MetricProbes['queuedBytes']): void {
  const gauge = gaugeIn(registry);
  gauge('maru_write_queue_bytes', 'Backlog of all connections', () => {
    let sum = 0;
    for (const bytes of queuedBytes()) sum += bytes;
    return sum;
  });
  gauge('maru_write_queue_bytes_max', 'Largest backlog of a connection', () => {
    let most = 0;
    for (const bytes of queuedBytes()) most = Math.max(most, bytes);
    return most;
  });
}

const gaugeIn = (registry: Registry) => (name: string, help: string, read: () => number) =>
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
