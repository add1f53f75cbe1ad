/**
 * Steady load, as on a usual day.
 *
 * Correctness, no failed request, no connection that ends. With --delivery-p99 also: is it fast enough?
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
