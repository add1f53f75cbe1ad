/** Messages at a constant rate. */
import { sleep } from '@maru/service-kit/testing';
import type { Environment } from '../environment.ts';
import type { Figures } from '../figures.ts';
import { voidReasonsOf } from '../generator/ledger.ts';
import type { Pace, SteadyLoad } from '../loads.ts';
import { createMeter, type Usage } from '../measure/sample.ts';
import { CONCURRENCY, DELIVERY_TIMEOUT_MS, generatorFigures, type Workload, warningsOf } from './workload.ts';

/** Sending starts this long before each slice, because processors and connections were idle. */
const LEAD_IN_MS = 500;

export function steadyWorkload(load: SteadyLoad, environment: Environment, pace: Pace): Workload {
  const { generator } = environment;
  const { burst, clients: senders, perSecond } = load;
  const meter = createMeter(environment);
  return {
    async warm() {
      await generator.call('connect', { from: 0, to: load.clients, concurrency: CONCURRENCY, resume: false });
      await generator.call('send', { perSecond: perSecond * load.warmUpFactor, burst, senders });
      await sleep(pace.warmUpMs);
      await generator.call('settle', { timeoutMs: DELIVERY_TIMEOUT_MS });
    },

    async slice() {
      await generator.call('send', { perSecond, burst, senders });
      await sleep(LEAD_IN_MS);
      await meter.begin();
      await generator.call('openWindow', null);
      await sleep(pace.measureMs / pace.slices);
      // Wait for every delivery, so the slice includes the whole cost of its messages.
      await generator.call('settle', { timeoutMs: DELIVERY_TIMEOUT_MS });
      await generator.call('closeWindow', null);
      await meter.end();
    },

    async end() {
      const window = await generator.call('figures', null);
      const result = await generator.call('settle', { timeoutMs: DELIVERY_TIMEOUT_MS });
      const usage = meter.usage();
      const { deliveries, sent } = window;
      const calls = Object.values(usage.storeCalls).reduce((sum, count) => sum + count, 0);
      const scripts = (usage.storeCalls.evalsha ?? 0) + (usage.storeCalls.eval ?? 0);
      return {
        figures: {
          gatewayUsPerDelivery: usage.gatewayCpuUs / deliveries,
          gatewayUsPerMessage: usage.gatewayCpuUs / sent,
          redisUsPerMessage: usage.redisCpuUs / sent,
          ...(environment.servers.presence === undefined ? {} : { presenceUsPerMessage: usage.presenceCpuUs / sent }),
          ...(environment.edgePid === undefined ? {} : { edgeUsPerDelivery: usage.edgeCpuUs / deliveries }),
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
          ...bystanderFigures(environment, usage, sent),
          ...generatorFigures(window, usage),
        },
        storeCalls: usage.storeCalls,
        voidReasons: voidReasonsOf(result),
        warnings: warningsOf(window, usage),
      };
    },
  };
}

function bystanderFigures({ bystanders }: Environment, usage: Usage, sent: number): Figures {
  const count = bystanders.length;
  if (count === 0) return {};
  return {
    bystanderCpuPercent: usage.bystanderCpuUs / count / usage.seconds / 10_000,
    bystanderBytesPerMessage: usage.bystanderStoreBytes / count / sent,
  };
}
