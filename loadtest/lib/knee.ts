/** The knee: the last step of a rising load that the cluster held. Pure. */
import { percentile } from './tolerance.ts';

export interface Step {
  name: string;
  messagesPerS: number;
  lengthMs: number;
}

/**
 * A step holds if this part of the planned messages was sent and acknowledged, and the 99th
 * percentile of delivery stays within its limit.
 */
export const DONE_PART_MIN = 0.95;

/**
 * Stops a virtual user after the first step that it saw fail, because results beyond the knee are
 * meaningless.
 */
export interface Climb {
  sent(step: number): void;
  delivered(step: number, latencyMs: number): void;
  /** Whether the user may send in this step. After the first false it is always false. */
  mayEnter(step: number): boolean;
}

const SENDS_MIN = 20;

export function createClimb(options: { p99MsMax: number }): Climb {
  const sends = new Map<number, number>();
  const latencies = new Map<number, number[]>();
  let refusedFrom = Number.POSITIVE_INFINITY;
  let checked = 0;

  function held(step: number): boolean {
    const values = latencies.get(step) ?? [];
    // A user that sent many messages and received nothing is too slow.
    if (values.length === 0) return (sends.get(step) ?? 0) < SENDS_MIN;
    return percentile(values, 0.99) <= options.p99MsMax;
  }

  return {
    sent: (step) => {
      sends.set(step, (sends.get(step) ?? 0) + 1);
    },
    delivered(step, latencyMs) {
      const values = latencies.get(step) ?? [];
      if (values.length === 0) latencies.set(step, values);
      values.push(latencyMs);
    },
    mayEnter(step) {
      for (; checked < step; checked++) if (!held(checked)) refusedFrom = Math.min(refusedFrom, checked + 1);
      return step < refusedFrom;
    },
  };
}

export interface StepFigures {
  sent: number;
  acknowledged: number;
  deliveryP99Ms: number;
}

/**
 * @param figures one for each step; undefined if nothing was measured
 * @returns a sentence for the operator
 */
export function describeKnee(
  steps: readonly Step[],
  figures: ReadonlyArray<StepFigures | undefined>,
  p99MsMax: number,
): string {
  const broken = steps.findIndex((step, index) => whyBroken(step, figures[index], p99MsMax) !== undefined);
  if (broken === -1) return `no knee up to ${rateOf(steps.at(-1))}: every step held; raise --rate or --steps`;
  const why = steps[broken] === undefined ? '' : whyBroken(steps[broken], figures[broken], p99MsMax);
  const failed = `at ${rateOf(steps[broken])} ${why}`;
  return broken === 0
    ? `the knee is below the first step: ${failed}`
    : `knee: ${rateOf(steps[broken - 1])} held; ${failed}`;
}

function whyBroken(step: Step, figures: StepFigures | undefined, p99MsMax: number): string | undefined {
  const planned = (step.messagesPerS * step.lengthMs) / 1_000;
  if (figures === undefined) return 'nothing was measured';
  const { sent, acknowledged, deliveryP99Ms } = figures;
  if (deliveryP99Ms > p99MsMax)
    return `the 99th percentile of delivery was ${Math.round(deliveryP99Ms)} ms, above ${p99MsMax} ms`;
  if (sent < planned * DONE_PART_MIN)
    return `clients sent ${sent} of ${Math.round(planned)} messages: k6 fell behind, or some of its users had seen the step before fail`;
  if (acknowledged < planned * DONE_PART_MIN)
    return `${acknowledged} of ${Math.round(planned)} messages were acknowledged at once`;
  return undefined;
}

const rateOf = (step: Step | undefined) => `${Math.round(step?.messagesPerS ?? 0)} messages/s`;
