/**
 * Most clients lose their connections at the same moment, again and again, while the others go on talking.
 *
 * Everybody must come back with what was said meanwhile, once and in order, and what was under way when the connection broke must be stored
 * once. `resume_latency` tells how long it took from dialling to the last missed message.
 */
import { createRun } from '../lib/k6-run.ts';
import { clientsOf, phasedShape, type Schedule, type Seat } from '../lib/shapes.ts';
import { cameBack } from '../lib/thresholds.ts';

/** They come back within so long, each at a moment of its own, as clients with a jittered back-off do. */
const AWAY_MS_MAX = 3_000;

const run = createRun('reconnect-storm', ({ of, runners }) => {
  const storms = of('storms');
  const shape = phasedShape({
    clients: of('clients'),
    rooms: of('rooms'),
    sendMs: of('duration'),
    settleMs: of('settle'),
    phases: [{ name: 'storms', part: 1, messagesPerS: of('rate') }],
  });
  // Who stays and who goes alternates through the rooms, so that in every room somebody talks meanwhile.
  const goes = ({ index }: Seat) => ((index * of('share')) % 1) + of('share') >= 1;
  const perStorm = Math.floor((clientsOf(shape) / runners) * of('share'));
  return {
    shape,
    // At least those of one storm: a later one may catch people who are still on their way back, where a machine is slow.
    thresholds: cameBack(Math.ceil(perStorm * 0.8)),
    absences(seat: Seat, { sendFromMs, sendUntilMs }: Schedule) {
      if (!goes(seat)) return [];
      const everyMs = (sendUntilMs - sendFromMs) / (storms + 1);
      return Array.from({ length: storms }, (_, storm) => ({
        atMs: sendFromMs + everyMs * (storm + 0.5),
        forMs: Math.random() * Math.min(AWAY_MS_MAX, everyMs / 2),
      }));
    },
  };
});

export const { options, setup, handleSummary } = run;
export default run.member;
