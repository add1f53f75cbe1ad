/**
 * A thousand quiet rooms, and then one hot room.
 *
 * Deliveries in the quiet rooms must be as fast while the other room is hot as before. The clients
 * of the hot room are connected from the start and silent at first.
 */
import { createRun } from '../lib/k6-run.ts';
import { createGroup, rampMsFor } from '../lib/shapes.ts';
import { held, noErrors } from '../lib/thresholds.ts';

/** Two clients chat in each room, for any number of clients and rooms. */
const PEOPLE_PER_ROOM = 2;

const run = createRun('fairness', ({ of, runners }) => {
  const phaseMs = of('duration') / 2;
  const roomsPerClient = Math.max(1, Math.round((of('rooms') * PEOPLE_PER_ROOM) / of('clients')));
  return {
    shape: {
      rampMs: rampMsFor(of('clients') + of('hot-clients')),
      phases: [
        { name: 'calm', lengthMs: phaseMs },
        { name: 'hot', lengthMs: phaseMs },
      ],
      groups: [
        createGroup({
          name: 'quiet',
          clients: of('clients'),
          clientsPerVu: 50,
          rooms: of('rooms'),
          roomsPerClient,
          messagesPerS: [of('rate'), of('rate')],
        }),
        createGroup({
          name: 'hot',
          clients: of('hot-clients'),
          rooms: runners,
          roomsPerClient: 1,
          messagesPerS: [0, of('hot-rate')],
        }),
      ],
      settleMs: of('settle'),
    },
    thresholds: { ...noErrors(), ...held() },
    tolerance: { group: 'quiet', baseline: 'calm', compared: 'hot' },
  };
});

export const { options, setup, handleSummary } = run;
export default run.member;
