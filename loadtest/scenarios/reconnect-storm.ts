/**
 * Most clients lose their connections at the same time, several times, while the others keep
 * chatting.
 *
 * All clients must reconnect and receive what they missed, once and in order. Sends that were open
 * when a connection broke must be stored once. `resume_latency`: from reconnecting to the last
 * missed message.
 */
import { createRun } from '../lib/k6-run.ts';
import { type ClientSlot, clientsOf, phasedShape, type Schedule } from '../lib/shapes.ts';
import { cameBack } from '../lib/thresholds.ts';

/** Clients reconnect within this time, at random moments, like clients with a jittered back-off. */
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
  // Clients that stay alternate with clients that leave, so every room has a sender.
  const leaves = ({ index }: ClientSlot) => ((index * of('share')) % 1) + of('share') >= 1;
  const perStorm = Math.floor((clientsOf(shape) / runners) * of('share'));
  return {
    shape,
    // At least those of one storm: on a slow machine a later storm may hit clients that are
    // reconnecting.
    thresholds: cameBack(Math.ceil(perStorm * 0.8)),
    absences(slot: ClientSlot, { sendFromMs, sendUntilMs }: Schedule) {
      if (!leaves(slot)) return [];
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
