/** Measures the figures of this node between two reports. */
import { performance } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import type { Health, NodeFigures } from './reports.ts';

export interface Measured {
  version: string;
  connections: () => number;
  rooms: () => number;
  draining: () => boolean;
  redis: () => Health;
  presence: () => Promise<Health>;
  archive: () => Promise<Health>;
  /** The node's own metrics. */
  registry: Pick<Registry, 'getSingleMetric'>;
}

const SENT = 'maru_messages_sent_total';
const DELIVERED = 'maru_messages_delivered_total';

export function createMeasure(measured: Measured): () => Promise<NodeFigures> {
  const { registry } = measured;
  let loop = performance.eventLoopUtilization();
  let before = { atMs: performance.now(), cpuUs: 0, sent: 0, delivered: 0 };

  const total = async (name: string, isCounted: (labels: Record<string, unknown>) => boolean): Promise<number> => {
    const { values = [] } = (await registry.getSingleMetric(name)?.get()) ?? {};
    return values.reduce((sum, { labels, value }) => (isCounted(labels) ? sum + value : sum), 0);
  };

  return async () => {
    const [presence, archive] = await Promise.all([measured.presence(), measured.archive()]);
    const { user, system } = process.cpuUsage();
    const now = {
      atMs: performance.now(),
      cpuUs: user + system,
      sent: await total(SENT, ({ outcome }) => outcome === 'stored'),
      delivered: await total(DELIVERED, () => true),
    };
    const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1_000);
    const rate = (name: 'cpuUs' | 'sent' | 'delivered') => rounded((now[name] - before[name]) / seconds);
    const busy = performance.eventLoopUtilization();
    const figures: NodeFigures = {
      version: measured.version,
      uptimeS: Math.floor(process.uptime()),
      connections: measured.connections(),
      rooms: measured.rooms(),
      cpu: rounded(rate('cpuUs') / 1_000_000),
      eventLoop: rounded(performance.eventLoopUtilization(busy, loop).utilization),
      memoryBytes: process.memoryUsage.rss(),
      messagesPerS: rate('sent'),
      deliveriesPerS: rate('delivered'),
      draining: measured.draining(),
      redis: measured.redis(),
      presence,
      archive,
    };
    before = now;
    loop = busy;
    return figures;
  };
}

/** Three significant digits are enough for a reader. */
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
