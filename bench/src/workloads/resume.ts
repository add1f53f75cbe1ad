/** Most clients lose their connections at once, miss messages, and reconnect. */
import { sleep } from '@maru/service-kit/testing';
import type { Environment } from '../environment.ts';
import { voidReasonsOf } from '../generator/ledger.ts';
import type { ResumeLoad } from '../loads.ts';
import { createMeter } from '../measure/sample.ts';
import { connectFigures, DELIVERY_TIMEOUT_MS, retryWarnings, type Workload, warningsOf } from './workload.ts';

/** Time between the first message and the loss of the connections. */
const BEFORE_LOSS_MS = 1_000;
/** Time between the loss and the last message. */
const OFFLINE_SECONDS = 2;

export function resumeWorkload(load: ResumeLoad, environment: Environment): Workload {
  const { generator, variant } = environment;
  const meter = createMeter(environment);
  // The first members of each room stay connected and send what the others miss.
  const senderCount = load.rooms * environment.serving.length;
  const reconnecting = { from: senderCount, to: load.clients, concurrency: load.concurrency };
  // Without resume the missed messages never arrive, so waiting is useless.
  const timeoutMs = variant.canResume ? DELIVERY_TIMEOUT_MS : 0;
  return {
    async warm() {
      await generator.call('connect', { ...reconnecting, from: 0, resume: false });
      const perSecond = (load.rooms * load.missed) / OFFLINE_SECONDS;
      await generator.call('send', { perSecond, burst: 1, senders: environment.serving.length });
      await sleep(BEFORE_LOSS_MS);
      await generator.call('close', { from: senderCount, to: load.clients, abruptly: true });
      await sleep(OFFLINE_SECONDS * 1_000);
      await generator.call('stopSending', null);
    },

    async slice() {
      await meter.begin();
      await generator.call('openWindow', null);
      await generator.call('connect', { ...reconnecting, resume: true });
      await generator.call('closeWindow', null);
      await generator.call('settle', { timeoutMs });
      await meter.end();
    },

    async end() {
      const window = await generator.call('figures', null);
      const result = await generator.call('settle', { timeoutMs: 0 });
      const usage = meter.usage();
      const missed = result.missing + window.deliveries;
      return {
        figures: {
          ...connectFigures(environment, usage, window),
          missedGiven: (100 * (missed - result.missing)) / missed,
        },
        storeCalls: usage.storeCalls,
        // Variants without resume lose messages by design. `missedGiven` shows it, so the run
        // counts.
        voidReasons: voidReasonsOf(variant.canResume ? result : { ...result, missing: 0 }),
        warnings: [...warningsOf(window, usage), ...retryWarnings(window)],
      };
    },
  };
}
