/** What decides whether a run passed. Pure: names and expressions in k6's own language. */
import type { Options } from 'k6/options';

type Thresholds = NonNullable<Options['thresholds']>;

/**
 * Nothing lost, doubled, swapped or altered, nothing refused. A counter that was never touched is 0 and would pass `count==0`, so the
 * number of audited members is a threshold too: a run in which nobody looked has failed.
 */
export function correctness(options: { members: number }): Thresholds {
  return {
    messages_missing: ['count==0'],
    messages_duplicated: ['count==0'],
    messages_out_of_order: ['count==0'],
    messages_mismatched: ['count==0'],
    acknowledged_lost: ['count==0'],
    members_audited: [`count==${options.members}`],
    messages_delivered: ['count>0'],
    checks: ['rate==1'],
  };
}

/** For scenarios in quiet weather: every request is answered, and no connection ends by itself. */
export function noErrors(): Thresholds {
  return { ack_errors: ['count==0'], connection_errors: ['count==0'] };
}

/** A bound on the 99th percentile of delivery, only where somebody named one: how fast is fast enough, the operator knows. */
export function speed(options: { deliveryP99MsMax: number | undefined }): Thresholds {
  if (options.deliveryP99MsMax === undefined) return {};
  return { delivery_latency: [`p(99)<=${options.deliveryP99MsMax}`] };
}
