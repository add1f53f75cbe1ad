/**
 * Does chat work, and correctly? A few clients in a few rooms, for some seconds.
 *
 * Every member must receive every message of its rooms once and in order, and the history must
 * agree. No request may fail and no connection may end. Speed is only reported.
 */
import { createRun } from '../lib/k6-run.ts';
import { phasedShape } from '../lib/shapes.ts';
import { noErrors } from '../lib/thresholds.ts';

const run = createRun('smoke', ({ of }) => {
  const shape = phasedShape({
    clients: of('clients'),
    rooms: of('rooms'),
    sendMs: of('duration'),
    settleMs: of('settle'),
    phases: [{ name: 'steady', part: 1, messagesPerS: of('rate') }],
  });
  // Several virtual users even with few clients, as in every other scenario.
  const groups = shape.groups.map((group) => ({ ...group, clientsPerVu: 5 }));
  return { shape: { ...shape, groups }, thresholds: noErrors() };
});

export const { options, setup, handleSummary } = run;
export default run.member;
