/**
 * Light load for a long time: it shows leaks and slow growth.
 *
 * Members compare everything with the history once a minute, which bounds the memory of the run.
 * Connections may end (a cluster may be updated during the run), but all clients must resume
 * without loss. The last quarter must be as fast as the first.
 */
import { createRun } from '../lib/k6-run.ts';
import { phasedShape } from '../lib/shapes.ts';
import { held } from '../lib/thresholds.ts';

const run = createRun('soak', ({ of }) => ({
  shape: phasedShape({
    clients: of('clients'),
    rooms: of('rooms'),
    sendMs: of('duration'),
    settleMs: of('settle'),
    phases: [
      { name: 'early', part: 1, messagesPerS: of('rate') },
      { name: 'middle', part: 2, messagesPerS: of('rate') },
      { name: 'late', part: 1, messagesPerS: of('rate') },
    ],
  }),
  thresholds: held(),
  tolerance: { group: 'all', baseline: 'early', compared: 'late' },
}));

export const { options, setup, handleSummary } = run;
export default run.member;
