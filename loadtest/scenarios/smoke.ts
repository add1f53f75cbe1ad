/**
 * Does it chat, and correctly? Some clients in a few rooms, some seconds.
 *
 * Every member must see every message of its rooms once, in order, and the history must agree; no request may fail, no connection end.
 * No speed is asserted: it is only reported.
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
  // Few clients, and yet several users, as in every other scenario.
  const groups = shape.groups.map((group) => ({ ...group, clientsPerVu: 5 }));
  return { shape: { ...shape, groups }, thresholds: noErrors() };
});

export const { options, setup, handleSummary } = run;
export default run.member;
