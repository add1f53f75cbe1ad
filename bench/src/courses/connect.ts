/** All connect and join at once, to warm processes. */
import { sleep } from '@maru/service-kit/testing';
import type { ConnectLoad, Pace } from '../loads.ts';
import { createMeter } from '../measure/sample.ts';
import type { RunSite } from '../site.ts';
import { type Course, connectFigures, DISCONNECT_MS, doubtsOf, putOffs, whyVoidWithoutMessages } from './course.ts';

/** Crowds that warm a process up. After three V8 has still much to compile (decision 0021). */
const WARMING_CROWDS = 12;

export function connectCourse(load: ConnectLoad, site: RunSite, pace: Pace): Course {
  const { generator } = site;
  const all = { from: 0, to: load.clients, concurrency: load.concurrency, resume: false };
  const meter = createMeter(site);
  const leave = async () => {
    await generator.ask('close', { from: 0, to: load.clients, abruptly: false });
    await sleep(Math.max(DISCONNECT_MS, pace.restMs));
  };
  return {
    async warm() {
      // The same crowd has been there before: what is compiled at the first connections belongs to the start, not to them.
      for (let crowd = 0; crowd < WARMING_CROWDS; crowd++) {
        await generator.ask('connect', all);
        await leave();
      }
    },

    async slice() {
      await meter.begin();
      await generator.ask('open', null);
      await generator.ask('connect', all);
      await generator.ask('shut', null);
      await meter.end();
      await leave();
    },

    async end() {
      const window = await generator.ask('figures', null);
      const verdict = await generator.ask('settle', { patienceMs: 0 });
      const usage = meter.usage();
      return {
        figures: connectFigures(site, usage, window),
        storeCalls: usage.storeCalls,
        voidReasons: whyVoidWithoutMessages(verdict),
        warnings: [...doubtsOf(window, usage), ...putOffs(window)],
      };
    },
  };
}
