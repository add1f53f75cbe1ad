/** The gateway's metrics: base units, and only labels whose values are bounded (never a user, a socket or a room). */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export function createMetrics(probes: {
  connections: () => number;
  sessions: () => number;
  rooms: () => number;
  degraded: () => boolean;
  draining: () => boolean;
}) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const seconds = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({
      name,
      help,
      labelNames,
      registers: [registry],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    });

  gauge('maru_connections', 'Open transports, signed in or not', probes.connections);
  gauge('maru_sessions', 'Signed-in connections', probes.sessions);
  gauge('maru_rooms_open', 'Rooms this node is subscribed to', probes.rooms);
  gauge('maru_store_degraded', '1 while the store does not answer', () => Number(probes.degraded()));
  gauge('maru_draining', '1 while this node hands over its connections', () => Number(probes.draining()));

  return {
    registry,
    connects: counter('maru_connects_total', 'Sessions that began'),
    disconnects: counter('maru_disconnects_total', 'Sessions that ended, by the reason that Socket.IO gives', [
      'reason',
    ]),
    refusals: counter('maru_handshakes_refused_total', 'Connections that were not accepted', ['reason']),
    cuts: counter('maru_connections_cut_total', 'Transports ended by this node although the client may come back', [
      'reason',
    ]),
    requests: seconds('maru_request_duration_seconds', 'From a client event to its acknowledgement', [
      'event',
      'outcome',
    ]),
    httpCalls: seconds('maru_http_request_duration_seconds', 'From an HTTP call to the end of its answer', [
      'route',
      'status',
    ]),
    accepted: counter('maru_messages_sent_total', 'Messages that clients sent, by outcome', ['outcome']),
    delivered: counter('maru_messages_delivered_total', 'Entries given to connections'),
    fills: counter('maru_feed_fills_total', 'Reads that closed a hole in a feed'),
    resumeReads: counter('maru_resume_reads_total', 'Reads of the log for resumes; many who missed the same share one'),
    malformed: counter('maru_live_malformed_total', 'Announcements that were dropped because they were malformed'),
    resumes: counter('maru_resumed_rooms_total', 'Rooms of resumes, by result', ['result']),
    signalErrors: counter('maru_signal_errors_total', 'Failures of the plane that may lose', ['stage']),
  };
}
