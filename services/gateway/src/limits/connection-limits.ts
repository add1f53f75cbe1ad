/** What one connection may send. */
import type { BucketSpec } from './token-bucket.ts';

export interface ConnectionLimits {
  events: BucketSpec;
  /** Bytes of packets, see `chargedBytes`. */
  bytes: BucketSpec;
  /** Requests in progress. */
  requestsMax: number;
}

export interface ConnectionSettings {
  connectionEventsPerSecond: number;
  connectionEventsBurst: number;
  connectionBytesPerSecond: number | undefined;
  connectionBytesBurst: number | undefined;
  connectionRequestsMax: number | undefined;
}

/** By default the bytes allow for events of this size, at the full rate and in a full burst. */
const EVENT_BYTES = 5_000;
const BURST_EVENT_BYTES = 10_000;

/** Settings that are not set grow with the limits of events. */
export function connectionLimitsOf(settings: ConnectionSettings): ConnectionLimits {
  const events = { perSecond: settings.connectionEventsPerSecond, burst: settings.connectionEventsBurst };
  return {
    events,
    bytes: {
      perSecond: settings.connectionBytesPerSecond ?? EVENT_BYTES * events.perSecond,
      burst: settings.connectionBytesBurst ?? BURST_EVENT_BYTES * events.burst,
    },
    // As many as may be sent within a second.
    requestsMax: settings.connectionRequestsMax ?? events.burst + events.perSecond,
  };
}
