/**
 * A thousand quiet rooms, and then one hot room beside them.
 *
 * People in the quiet rooms must not notice: their deliveries while the room is hot are judged by those before it was. The hot room's clients
 * are there all the time, and silent at first.
 */
import { createRun } from '../lib/k6-run.ts';
import { createGroup, rampMsFor } from '../lib/shapes.ts';
import { held, noErrors } from '../lib/thresholds.ts';

/** So that in each room two people talk, whatever the numbers of both. */
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
    tolerance: { group: 'quiet', baseline: 'calm', judged: 'hot' },
  };
});

export const { options, setup, handleSummary } = run;
export default run.member;
