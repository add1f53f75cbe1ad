/** All clients connect and join at once. The server processes are warm. */
import { sleep } from '@maru/service-kit/testing';
import type { Environment } from '../environment.ts';
import type { ConnectLoad, Pace } from '../loads.ts';
import { createMeter } from '../measure/sample.ts';
import {
  connectFigures,
  DISCONNECT_MS,
  retryWarnings,
  voidReasonsWithoutMessages,
  type Workload,
  warningsOf,
} from './workload.ts';

/** Warm-up repetitions. After three, V8 still compiles a lot (decision 0021). */
const WARM_UP_ROUNDS = 12;

export function connectWorkload(load: ConnectLoad, environment: Environment, pace: Pace): Workload {
  const { generator } = environment;
  const all = { from: 0, to: load.clients, concurrency: load.concurrency, resume: false };
  const meter = createMeter(environment);
  const disconnect = async () => {
    await generator.call('close', { from: 0, to: load.clients, abruptly: false });
    await sleep(Math.max(DISCONNECT_MS, pace.restMs));
  };
  return {
    async warm() {
      // V8 compiles during the first connections. That is a cost of the start, not of a connection.
      for (let count = 0; count < WARM_UP_ROUNDS; count++) {
        await generator.call('connect', all);
        await disconnect();
      }
    },

    async slice() {
      await meter.begin();
      await generator.call('openWindow', null);
      await generator.call('connect', all);
      await generator.call('closeWindow', null);
      await meter.end();
      await disconnect();
    },

    async end() {
      const window = await generator.call('figures', null);
      const result = await generator.call('settle', { timeoutMs: 0 });
      const usage = meter.usage();
      return {
        figures: connectFigures(environment, usage, window),
        storeCalls: usage.storeCalls,
        voidReasons: voidReasonsWithoutMessages(result),
        warnings: [...warningsOf(window, usage), ...retryWarnings(window)],
      };
    },
  };
}
