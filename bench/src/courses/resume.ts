/** All lose their connections at once, miss messages, and come back. */
import { sleep } from '@maru/service-kit/testing';
import { whyVoid } from '../generator/ledger.ts';
import type { ResumeLoad } from '../loads.ts';
import { createMeter } from '../measure/sample.ts';
import type { RunSite } from '../site.ts';
import { type Course, connectFigures, doubtsOf, PATIENCE_MS, putOffs } from './course.ts';

/** How long the crowd hears the room before it is cut off, and how long it is away. */
const BEFORE_LOSS_MS = 1_000;
const MISSED_SECONDS = 2;

export function resumeCourse(load: ResumeLoad, site: RunSite): Course {
  const { generator, variant } = site;
  const meter = createMeter(site);
  // The first of each room stay, and send what the others miss.
  const stayers = load.rooms * site.serving.length;
  const crowd = { from: stayers, to: load.clients, concurrency: load.concurrency };
  // Whoever cannot give back what was missed will not begin to by waiting.
  const patienceMs = variant.canResume ? PATIENCE_MS : 0;
  return {
    async warm() {
      await generator.ask('connect', { ...crowd, from: 0, resume: false });
      const perSecond = (load.rooms * load.missed) / MISSED_SECONDS;
      await generator.ask('send', { perSecond, burst: 1, senders: site.serving.length });
      await sleep(BEFORE_LOSS_MS);
      await generator.ask('close', { from: stayers, to: load.clients, abruptly: true });
      await sleep(MISSED_SECONDS * 1_000);
      await generator.ask('pause', null);
    },

    async slice() {
      await meter.begin();
      await generator.ask('open', null);
      await generator.ask('connect', { ...crowd, resume: true });
      await generator.ask('shut', null);
      await generator.ask('settle', { patienceMs });
      await meter.end();
    },

    async end() {
      const window = await generator.ask('figures', null);
      const verdict = await generator.ask('settle', { patienceMs: 0 });
      const usage = meter.usage();
      const missed = verdict.missing + window.deliveries;
      return {
        figures: {
          ...connectFigures(site, usage, window),
          missedGiven: (100 * (missed - verdict.missing)) / missed,
        },
        storeCalls: usage.storeCalls,
        // Losing what was missed is what the others do here: their figure says it, and their runs count.
        voidReasons: whyVoid(variant.canResume ? verdict : { ...verdict, missing: 0 }),
        warnings: [...doubtsOf(window, usage), ...putOffs(window)],
      };
    },
  };
}
