/** Silent clients that have joined. The servers already had as many connections once before. */
import { sleep } from '@maru/service-kit/testing';
import type { Environment } from '../environment.ts';
import type { IdleLoad, Pace } from '../loads.ts';
import { createMeter, rssOf } from '../measure/sample.ts';
import {
  CONCURRENCY,
  DISCONNECT_MS,
  generatorFigures,
  voidReasonsWithoutMessages,
  type Workload,
  warningsOf,
} from './workload.ts';

/** Connections that warm a process up before the first memory reading. */
const WARM_UP_CLIENTS = 200;
const KB = 1_024;

export function idleWorkload(load: IdleLoad, environment: Environment, pace: Pace): Workload {
  const { generator, serving } = environment;
  const all = { from: 0, to: load.clients, concurrency: CONCURRENCY, resume: false };
  const meter = createMeter(environment);
  const before = { heap: 0, rss: 0 };
  const after = { heap: 0, rss: 0 };
  const liveHeapBytes = async () => {
    const answers = await Promise.all(serving.map((node) => node.probe.request('collect')));
    return answers.reduce((sum, { heapBytes }) => sum + heapBytes, 0);
  };
  return {
    async warm() {
      await generator.call('connect', { ...all, to: WARM_UP_CLIENTS });
      await generator.call('close', { from: 0, to: WARM_UP_CLIENTS, abruptly: false });
      await sleep(DISCONNECT_MS);
      before.heap = await liveHeapBytes();
      before.rss = rssOf(serving);
      await generator.call('connect', all);
      await generator.call('close', { from: 0, to: load.clients, abruptly: false });
      await sleep(DISCONNECT_MS);
      await generator.call('connect', all);
      await sleep(pace.restMs);
    },

    async slice() {
      after.rss = rssOf(serving);
      await meter.begin();
      await generator.call('openWindow', null);
      await sleep(pace.measureMs);
      await generator.call('closeWindow', null);
      await meter.end();
      after.heap = await liveHeapBytes();
    },

    async end() {
      const window = await generator.call('figures', null);
      const result = await generator.call('settle', { timeoutMs: 0 });
      const usage = meter.usage();
      return {
        figures: {
          kbPerConnection: (after.rss - before.rss) / KB / load.clients,
          heapKbPerConnection: (after.heap - before.heap) / KB / load.clients,
          idleCpuPercent: usage.gatewayCpuUs / usage.seconds / 10_000,
          idleRedisCpuPercent: usage.redisCpuUs / usage.seconds / 10_000,
          loopDelayP99Ms: usage.loopDelayMs.p99,
          ...generatorFigures(window, usage),
        },
        storeCalls: usage.storeCalls,
        voidReasons: voidReasonsWithoutMessages(result),
        warnings: warningsOf(window, usage),
      };
    },
  };
}
