/**
 * A quiet room hall, of a sudden many times as loud, and quiet again.
 *
 * Correctness and no failed request, during the spike too; and afterwards it must be as fast as before.
 */
import { createRun } from '../lib/k6-run.ts';
import { phasedShape } from '../lib/shapes.ts';
import { held, noErrors } from '../lib/thresholds.ts';

const run = createRun('spike', ({ of }) => ({
  shape: phasedShape({
    clients: of('clients'),
    rooms: of('rooms'),
    sendMs: of('duration'),
    settleMs: of('settle'),
    phases: [
      { name: 'before', part: 4, messagesPerS: of('rate') },
      { name: 'spike', part: 2, messagesPerS: of('rate') * of('factor') },
      // What is left over from the spike gets a moment of its own, which nobody compares.
      { name: 'recovery', part: 1, messagesPerS: of('rate') },
      { name: 'after', part: 4, messagesPerS: of('rate') },
    ],
  }),
  thresholds: { ...noErrors(), ...held() },
  tolerance: { group: 'all', baseline: 'before', judged: 'after' },
}));

export const { options, setup, handleSummary } = run;
export default run.member;
