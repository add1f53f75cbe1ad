/** Connected, joined and silent: what N more connections cost processes that have had as many before. */
import { sleep } from '@maru/service-kit/testing';
import type { IdleLoad, Pace } from '../loads.ts';
import { createMeter, rssOf } from '../measure/sample.ts';
import type { RunSite } from '../site.ts';
import {
  CONCURRENCY,
  type Course,
  DISCONNECT_MS,
  doubtsOf,
  generatorFigures,
  whyVoidWithoutMessages,
} from './course.ts';

/** Connections that warm a process up before its memory is looked at. */
const WARMING_CLIENTS = 200;
const KB = 1_024;

export function idleCourse(load: IdleLoad, site: RunSite, pace: Pace): Course {
  const { generator, serving } = site;
  const all = { from: 0, to: load.clients, concurrency: CONCURRENCY, resume: false };
  const meter = createMeter(site);
  const before = { heap: 0, rss: 0 };
  const after = { heap: 0, rss: 0 };
  const collect = async () => {
    const told = await Promise.all(serving.map((node) => node.probe.ask('collect')));
    return told.reduce((sum, { heapBytes }) => sum + heapBytes, 0);
  };
  return {
    async warm() {
      await generator.ask('connect', { ...all, to: WARMING_CLIENTS });
      await generator.ask('close', { from: 0, to: WARMING_CLIENTS, abruptly: false });
      await sleep(DISCONNECT_MS);
      before.heap = await collect();
      before.rss = rssOf(serving);
      await generator.ask('connect', all);
      await generator.ask('close', { from: 0, to: load.clients, abruptly: false });
      await sleep(DISCONNECT_MS);
      await generator.ask('connect', all);
      await sleep(pace.restMs);
    },

    async slice() {
      after.rss = rssOf(serving);
      await meter.begin();
      await generator.ask('open', null);
      await sleep(pace.measureMs);
      await generator.ask('shut', null);
      await meter.end();
      after.heap = await collect();
    },

    async end() {
      const window = await generator.ask('figures', null);
      const verdict = await generator.ask('settle', { patienceMs: 0 });
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
        voidReasons: whyVoidWithoutMessages(verdict),
        warnings: doubtsOf(window, usage),
      };
    },
  };
}
