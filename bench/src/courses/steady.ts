/** Messages at a steady pace. */
import { sleep } from '@maru/service-kit/testing';
import type { Figures } from '../figures.ts';
import { whyVoid } from '../generator/ledger.ts';
import type { Pace, SteadyLoad } from '../loads.ts';
import { createMeter, type Usage } from '../measure/sample.ts';
import type { RunSite } from '../site.ts';
import { CONCURRENCY, type Course, doubtsOf, generatorFigures, PATIENCE_MS } from './course.ts';

/** Sent before each slice at its pace: what was asleep is awake when the slice begins. */
const LEAD_MS = 500;

export function steadyCourse(load: SteadyLoad, site: RunSite, pace: Pace): Course {
  const { generator } = site;
  const { burst, clients: senders, perSecond } = load;
  const meter = createMeter(site);
  return {
    async warm() {
      await generator.ask('connect', { from: 0, to: load.clients, concurrency: CONCURRENCY, resume: false });
      await generator.ask('send', { perSecond: perSecond * load.warmUpTimes, burst, senders });
      await sleep(pace.warmUpMs);
      await generator.ask('settle', { patienceMs: PATIENCE_MS });
    },

    async slice() {
      await generator.ask('send', { perSecond, burst, senders });
      await sleep(LEAD_MS);
      await meter.begin();
      await generator.ask('open', null);
      await sleep(pace.measureMs / pace.slices);
      // What is measured is whole: all that was sent in it was delivered in it.
      await generator.ask('settle', { patienceMs: PATIENCE_MS });
      await generator.ask('shut', null);
      await meter.end();
    },

    async end() {
      const window = await generator.ask('figures', null);
      const verdict = await generator.ask('settle', { patienceMs: PATIENCE_MS });
      const usage = meter.usage();
      const { deliveries, sent } = window;
      const calls = Object.values(usage.storeCalls).reduce((sum, count) => sum + count, 0);
      const scripts = (usage.storeCalls.evalsha ?? 0) + (usage.storeCalls.eval ?? 0);
      return {
        figures: {
          gatewayUsPerDelivery: usage.gatewayCpuUs / deliveries,
          gatewayUsPerMessage: usage.gatewayCpuUs / sent,
          redisUsPerMessage: usage.redisCpuUs / sent,
          ...(site.servers.presence === undefined ? {} : { presenceUsPerMessage: usage.presenceCpuUs / sent }),
          ...(site.edgePid === undefined ? {} : { edgeUsPerDelivery: usage.edgeCpuUs / deliveries }),
          deliveryP50Ms: window.deliveryUs.p50 / 1_000,
          deliveryP99Ms: window.deliveryUs.p99 / 1_000,
          deliveryP999Ms: window.deliveryUs.p999 / 1_000,
          ackP50Ms: window.ackUs.p50 / 1_000,
          ackP99Ms: window.ackUs.p99 / 1_000,
          ackP999Ms: window.ackUs.p999 / 1_000,
          storeCallsPerMessage: calls / sent,
          storeScriptsPerMessage: scripts / sent,
          storeInBytesPerMessage: usage.storeInBytes / sent,
          storeOutBytesPerMessage: usage.storeOutBytes / sent,
          loopDelayP99Ms: usage.loopDelayMs.p99,
          messagesPerSecond: sent / window.seconds,
          deliveriesPerSecond: deliveries / window.seconds,
          ...bystandersOf(site, usage, sent),
          ...generatorFigures(window, usage),
        },
        storeCalls: usage.storeCalls,
        voidReasons: whyVoid(verdict),
        warnings: doubtsOf(window, usage),
      };
    },
  };
}

function bystandersOf({ bystanders }: RunSite, usage: Usage, sent: number): Figures {
  const count = bystanders.length;
  if (count === 0) return {};
  return {
    bystanderCpuPercent: usage.bystanderCpuUs / count / usage.seconds / 10_000,
    bystanderBytesPerMessage: usage.bystanderStoreBytes / count / sent,
  };
}
