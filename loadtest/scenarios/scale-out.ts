/**
 * Gateways are added and drained while clients chat.
 *
 * Clients that are asked to move resume on another gateway and must have every message once and in
 * order. On the cluster of `npm start` this program adds two gateways and drains two. Elsewhere
 * --on-step COMMAND does it (MARU_STEP is `add` or `drain`), or you do, when a line asks for it. A
 * run in which no client had to reconnect fails: it has tested nothing.
 */
import { createRun } from '../lib/k6-run.ts';
import { phasedShape } from '../lib/shapes.ts';
import { cameBack } from '../lib/thresholds.ts';

const run = createRun('scale-out', ({ of }) => {
  const names = ['before', 'add-1', 'add-2', 'drain-1', 'drain-2'];
  return {
    shape: phasedShape({
      clients: of('clients'),
      rooms: of('rooms'),
      sendMs: of('duration'),
      settleMs: of('settle'),
      phases: names.map((name) => ({ name, part: name === 'before' ? 1 : 2, messagesPerS: of('rate') })),
    }),
    thresholds: cameBack(1),
    // `tools/loadtest.mjs` reads these lines.
    announcements: {
      'add-1': 'maru-step add: add one gateway now',
      'add-2': 'maru-step add: add one gateway now',
      'drain-1': 'maru-step drain: remove one gateway now',
      'drain-2': 'maru-step drain: remove one gateway now',
    },
  };
});

export const { options, setup, handleSummary } = run;
export default run.member;
