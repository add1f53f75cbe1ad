/**
 * Steady load, as on a usual day.
 *
 * Checks correctness. No request may fail and no connection may end. --delivery-p99 adds a speed
 * limit.
 */
import { createRun } from '../lib/k6-run.ts';
import { phasedShape } from '../lib/shapes.ts';
import { noErrors } from '../lib/thresholds.ts';

const run = createRun('load', ({ of }) => ({
  shape: phasedShape({
    clients: of('clients'),
    rooms: of('rooms'),
    sendMs: of('duration'),
    settleMs: of('settle'),
    phases: [{ name: 'steady', part: 1, messagesPerS: of('rate') }],
  }),
  thresholds: noErrors(),
}));

export const { options, setup, handleSummary } = run;
export default run.member;
