/**
 * The gateway's metrics: base units, and only labels whose values are bounded (never a user, a socket or a room). What each means to an
 * operator says docs/metrics.md; a test compares that page with a scrape.
 */
import type { NotRecoveredReason } from '@maru/protocol';
import { collectProcessMetrics } from '@maru/service-kit';
import { Counter, Gauge, Registry } from 'prom-client';
import type { CutReason } from '../delivery/member.ts';
import { FAST_PATH_STATES, type FastPathState } from '../edge/fast-path.ts';
import type { RefusalReason } from '../edge/handshake-guard.ts';
import type { AppendResult } from '../log/room-log.ts';
import { tallyCounter, tallyCounterBy, tallyHistogram, tallyHistogramBy } from './tallies.ts';

export interface MetricProbes {
  connections: () => number;
  sessions: () => number;
  rooms: () => number;
  degraded: () => boolean;
  draining: () => boolean;
  /** Whether the subscriber's own heartbeat arrives. */
  subscriberAlive: () => boolean;
  /** Each connection to the store by its purpose, and whether it can be used. */
  redisConnections: () => Array<[purpose: string, ready: boolean]>;
  fastPath: () => { state: FastPathState; writes: { direct: number; queued: number } };
  /** Bytes queued for each connection; asked at a scrape. */
  queuedBytes: () => Iterable<number>;
}

/** Up to what `messages/` counts as too late. */
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1, 2.5];
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** The store's clock is known to about a millisecond, so nothing finer can be told. */
const DELAY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** A counter that exists from the start at 0 does not lose its first increment to `rate()`; so all values are known here. */
const REFUSALS: Record<RefusalReason | 'unauthenticated' | 'connections' | 'keys', 0> = {
  origin: 0,
  half_open: 0,
  draining: 0,
  unauthenticated: 0,
  connections: 0,
  keys: 0,
};
const CUTS: Record<CutReason, 0> = {
  slow_consumer: 0,
  flood: 0,
  draining: 0,
  lost_hole: 0,
  store: 0,
  too_many_connections: 0,
};
const OUTCOMES: Record<AppendResult['outcome'], 0> = { stored: 0, duplicate: 0, conflict: 0, refused: 0 };
const RESUMES: Record<NotRecoveredReason | 'recovered' | 'error', 0> = {
  recovered: 0,
  too_far: 0,
  trimmed: 0,
  epoch: 0,
  error: 0,
};

export type GatewayMetrics = ReturnType<typeof createMetrics>;

export function createMetrics(probes: MetricProbes) {
  const registry = new Registry();
  const registers = [registry];
  collectProcessMetrics(registry);
  const counter = (name: string, help: string) => tallyCounter({ registry, name, help });
  const counterBy = <V extends string>(name: string, help: string, label: string, from: Partial<Record<V, 0>> = {}) =>
    tallyCounterBy({ registry, name, help, label, from: Object.keys(from) as V[] });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const histogram = (name: string, help: string, buckets: number[]) =>
    tallyHistogram({ registry, name, help, buckets });
  const histogramBy = (name: string, help: string, buckets: number[], labels: [string, string]) =>
    tallyHistogramBy({ registry, name, help, buckets, labels });

  gauge('maru_connections', 'Open transports, signed in or not', probes.connections);
  gauge('maru_sessions', 'Signed-in connections', probes.sessions);
  gauge('maru_rooms_open', 'Rooms this node is subscribed to', probes.rooms);
  gauge('maru_store_degraded', '1 while the store does not answer, or refuses messages', () =>
    Number(probes.degraded()),
  );
  gauge('maru_draining', '1 while this node hands over its connections', () => Number(probes.draining()));
  gauge('maru_subscriber_alive', '1 while the subscriber hears its own heartbeat', () =>
    Number(probes.subscriberAlive()),
  );
  new Gauge({
    name: 'maru_redis_connection_up',
    help: '1 while a connection to the store can be used, by purpose',
    labelNames: ['purpose'],
    registers,
    collect() {
      for (const [purpose, ready] of probes.redisConnections()) this.set({ purpose }, Number(ready));
    },
  });
  new Gauge({
    name: 'maru_fast_path',
    help: '1 for the state of our WebSocket transport; unexpected: the one of Engine.IO is used',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of FAST_PATH_STATES) this.set({ state }, Number(probes.fastPath().state === state));
    },
  });
  new Counter({
    name: 'maru_room_writes_total',
    help: 'Times that entries, answers and `session` were given to a connection, by road: several that come together count once',
    labelNames: ['path'],
    registers,
    collect() {
      this.reset();
      for (const [path, count] of Object.entries(probes.fastPath().writes)) this.inc({ path }, count);
    },
  });
  gauge('maru_write_queue_bytes', 'Queued for all connections, as of the scrape', () => {
    let sum = 0;
    for (const bytes of probes.queuedBytes()) sum += bytes;
    return sum;
  });
  gauge('maru_write_queue_bytes_max', 'Queued for the connection that is furthest behind, as of the scrape', () => {
    let most = 0;
    for (const bytes of probes.queuedBytes()) most = Math.max(most, bytes);
    return most;
  });

  return {
    registry,
    connects: counter('maru_connects_total', 'Sessions that began'),
    disconnects: counterBy<string>(
      'maru_disconnects_total',
      'Sessions that ended, by the reason that Socket.IO gives',
      'reason',
    ),
    refusals: counterBy('maru_handshakes_refused_total', 'Connections that were not accepted', 'reason', REFUSALS),
    cuts: counterBy(
      'maru_connections_cut_total',
      'Transports ended by this node although the client may come back',
      'reason',
      CUTS,
    ),
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
      'From a call of the room log to its answer, waiting for its turn included',
      STORE_SECONDS,
      ['call', 'outcome'],
    ),
    appendBatch: histogram('maru_append_batch_messages', 'Messages that shared a round trip', BATCH_SIZES),
    deliveryDelay: histogram(
      'maru_delivery_delay_seconds',
      "From the moment of the append, by the store's clock, to the queues of this node's members",
      DELAY_SECONDS,
    ),
    accepted: counterBy(
      'maru_messages_sent_total',
      'Messages that clients sent, by outcome; those that the store could not take are not among them',
      'outcome',
      OUTCOMES,
    ),
    delivered: counter('maru_messages_delivered_total', 'Entries given to connections'),
    fills: counter('maru_feed_fills_total', 'Reads that closed a hole in a feed'),
    resumeReads: counter('maru_resume_reads_total', 'Reads of the log for resumes; many who missed the same share one'),
    malformed: counter('maru_live_malformed_total', 'Announcements that were dropped because they were malformed'),
    resumes: counterBy('maru_resumed_rooms_total', 'Rooms of resumes, by result', 'result', RESUMES),
    signalErrors: counterBy<string>('maru_signal_errors_total', 'Failures of the plane that may lose', 'stage'),
  };
}
