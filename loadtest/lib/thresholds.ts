/** What decides whether a run passed. Pure: names and expressions in k6's own language. */
import type { Options } from 'k6/options';
import { HELD_RATE_MIN } from './tolerance.ts';

export type Thresholds = NonNullable<Options['thresholds']>;

/**
 * Nothing lost, doubled, swapped or altered, over all connections of a member. A counter that was never touched is 0 and would pass
 * `count==0`, so the number of audited members is a threshold too: a run in which nobody looked has failed.
 */
export function correctness(options: { members: number }): Thresholds {
  return {
    messages_missing: ['count==0'],
    messages_duplicated: ['count==0'],
    messages_out_of_order: ['count==0'],
    messages_mismatched: ['count==0'],
    messages_unresolved: ['count==0'],
    acknowledged_lost: ['count==0'],
    resumes_unrecovered: ['count==0'],
    members_audited: [`count==${options.members}`],
    messages_delivered: ['count>0'],
    checks: ['rate==1'],
  };
}

/** For scenarios in quiet weather: every request is answered, and no connection ends by itself. */
export function noErrors(): Thresholds {
  return { ack_errors: ['count==0'], connection_errors: ['count==0'] };
}

/** For scenarios that move clients: a run in which nobody came back has not tried what it is for. */
export function cameBack(resumesMin: number): Thresholds {
  return { resumes: [`count>=${resumesMin}`] };
}

/** For scenarios that compare one phase with another. */
export function held(): Thresholds {
  return { delivery_held: [`rate>=${HELD_RATE_MIN}`] };
}

/** A bound on the 99th percentile of delivery, only where somebody named one: how fast is fast enough, the operator knows. */
export function speed(options: { deliveryP99MsMax: number | undefined; phase?: string }): Thresholds {
  if (options.deliveryP99MsMax === undefined) return {};
  const metric = options.phase === undefined ? 'delivery_latency' : `delivery_latency{phase:${options.phase}}`;
  return { [metric]: [`p(99)<=${options.deliveryP99MsMax}`] };
}

/** k6 keeps figures of a phase only where a threshold asks for them; these always hold. */
export function figuresOf(phases: readonly string[]): Thresholds {
  const each = phases.flatMap((phase) => [
    [`delivery_latency{phase:${phase}}`, ['p(99)>=0']],
    [`messages_sent{phase:${phase}}`, ['count>=0']],
    [`messages_acknowledged{phase:${phase}}`, ['count>=0']],
  ]);
  return Object.fromEntries(each) as Thresholds;
}
