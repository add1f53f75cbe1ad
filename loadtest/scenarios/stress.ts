/**
 * Steps that double the rate, to find the knee.
 *
 * A step holds if 95 % of the planned messages were sent and acknowledged, and the 99th percentile
 * of delivery stays within --delivery-p99. The knee is the last step that held. Clients enter a
 * step only if the step before held. The run fails if the 99th percentile of the first step exceeds
 * its limit, or if anything is lost, duplicated or swapped, even beyond the knee.
 */
import { createRun } from '../lib/k6-run.ts';
import { describeKnee } from '../lib/knee.ts';
import { phasedShape } from '../lib/shapes.ts';
import { speed } from '../lib/thresholds.ts';

const run = createRun('stress', ({ of }) => {
  const phases = Array.from({ length: of('steps') }, (_, step) => ({
    name: `step-${step + 1}`,
    part: 1,
    messagesPerS: of('rate') * 2 ** step,
  }));
  const p99MsMax = of('delivery-p99');
  return {
    shape: phasedShape({
      clients: of('clients'),
      rooms: of('rooms'),
      roomsPerClient: 1,
      sendMs: of('duration'),
      settleMs: of('settle'),
      phases,
    }),
    thresholds: speed({ deliveryP99MsMax: p99MsMax, phase: 'step-1' }),
    climbP99MsMax: p99MsMax,
    summary(metrics, shape) {
      const steps = shape.phases.map((phase, index) => ({
        ...phase,
        messagesPerS: shape.groups[0]?.messagesPerS[index] ?? 0,
      }));
      const figures = steps.map(({ name }) => {
        const value = (metric: string, key: string) => metrics[`${metric}{phase:${name}}`]?.values[key] ?? 0;
        const sent = value('messages_sent', 'count');
        const acknowledged = value('messages_acknowledged', 'count');
        return sent === 0 ? undefined : { sent, acknowledged, deliveryP99Ms: value('delivery_latency', 'p(99)') };
      });
      return [describeKnee(steps, figures, p99MsMax)];
    },
  };
});

export const { options, setup, handleSummary } = run;
export default run.member;
