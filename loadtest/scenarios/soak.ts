/**
 * Light load for a long time: what leaks, grows or wears out shows here.
 *
 * Everything that came is compared with the history once a minute, so the run's own memory stays bounded. Connections may end (clusters
 * are updated while it runs), as long as everybody comes back whole; and the last quarter must be as fast as the first.
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
  tolerance: { group: 'all', baseline: 'early', judged: 'late' },
}));

export const { options, setup, handleSummary } = run;
export default run.member;
