/**
 * A low rate, suddenly many times as high, and low again.
 *
 * Checks correctness. No request may fail, even during the spike. After it, delivery must be as
 * fast as before.
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
      // Backlogs of the spike drain in a phase that is not compared.
      { name: 'recovery', part: 1, messagesPerS: of('rate') },
      { name: 'after', part: 4, messagesPerS: of('rate') },
    ],
  }),
  thresholds: { ...noErrors(), ...held() },
  tolerance: { group: 'all', baseline: 'before', compared: 'after' },
}));

export const { options, setup, handleSummary } = run;
export default run.member;
