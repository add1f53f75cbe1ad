/** The thresholds of a run, in k6's own language. Pure. */
import type { Options } from 'k6/options';
import { HELD_RATE_MIN } from './tolerance.ts';

export type Thresholds = NonNullable<Options['thresholds']>;

/**
 * Nothing is lost, duplicated, swapped or altered, over all connections of a member. An unused
 * counter is 0 and passes `count==0`, so the number of audited members is a threshold too.
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

/** Every view of a room and every count equals a fresh read and the log. */
export function conversations(): Thresholds {
  return {
    views_differing: ['count==0'],
    counts_wrong: ['count==0'],
    acts_refused: ['count==0'],
    acts_acknowledged: ['count>0'],
  };
}

/** For scenarios without faults: no request fails and no connection ends by itself. */
export function noErrors(): Thresholds {
  return { ack_errors: ['count==0'], connection_errors: ['count==0'] };
}

/** For scenarios that move clients: a run without resumes has tested nothing. */
export function cameBack(resumesMin: number): Thresholds {
  return { resumes: [`count>=${resumesMin}`] };
}

/** For scenarios that compare two phases. */
export function held(): Thresholds {
  return { delivery_held: [`rate>=${HELD_RATE_MIN}`] };
}

/** A limit for the 99th percentile of delivery, if the operator gives one. */
export function speed(options: { deliveryP99MsMax: number | undefined; phase?: string }): Thresholds {
  if (options.deliveryP99MsMax === undefined) return {};
  const metric = options.phase === undefined ? 'delivery_latency' : `delivery_latency{phase:${options.phase}}`;
  return { [metric]: [`p(99)<=${options.deliveryP99MsMax}`] };
}

/** k6 keeps figures of a phase only if a threshold uses them. These thresholds always hold. */
export function figuresOf(phases: readonly string[]): Thresholds {
  const each = phases.flatMap((phase) => [
    [`delivery_latency{phase:${phase}}`, ['p(99)>=0']],
    [`messages_sent{phase:${phase}}`, ['count>=0']],
    [`messages_acknowledged{phase:${phase}}`, ['count>=0']],
  ]);
  return Object.fromEntries(each) as Thresholds;
}
