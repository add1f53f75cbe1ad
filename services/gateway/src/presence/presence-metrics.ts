/** Metrics of the presence client. */
import { Counter, Gauge, type Registry } from 'prom-client';

export type PresenceClientMetrics = ReturnType<typeof createPresenceClientMetrics>;

export function createPresenceClientMetrics(
  registry: Registry,
  sizes: { queued: () => number; watched: () => number; isSynced: () => boolean },
) {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('maru_gateway_presence_queued_ops', 'Operations that are not reported to presence yet', sizes.queued);
  gauge('maru_gateway_presence_watched_rooms', 'Rooms whose presence is watched on this node', sizes.watched);
  gauge('maru_gateway_presence_synced', '1 if presence knows the whole state of this node', () =>
    sizes.isSynced() ? 1 : 0,
  );
  return {
    requestErrors: new Counter({
      name: 'maru_gateway_presence_request_errors_total',
      help: 'Failed requests to the presence service by call',
      labelNames: ['call'] as const,
      registers,
    }),
    syncs: new Counter({
      name: 'maru_gateway_presence_syncs_total',
      help: 'Full states begun, by reason: start, asked, overflow, routine',
      labelNames: ['reason'] as const,
      registers,
    }),
    refetches: new Counter({
      name: 'maru_gateway_presence_refetches_total',
      help: 'Snapshots fetched because a difference did not fit (gap) or was lost (audit)',
      labelNames: ['reason'] as const,
      registers,
    }),
    badPayloads: new Counter({
      name: 'maru_gateway_presence_bad_payloads_total',
      help: 'Payloads on a presence channel that are not a difference of its room',
      registers,
    }),
  };
}
