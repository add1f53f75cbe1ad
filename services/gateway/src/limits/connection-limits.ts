/** The limits of one connection. */
import type { BucketSpec } from './token-bucket.ts';

export interface ConnectionLimits {
  events: BucketSpec;
  /** Events of all connections of a user on this node together, including ended ones. */
  userEvents: BucketSpec;
  /** Bytes of packets, see `chargedBytes`. */
  bytes: BucketSpec;
  /** Requests in progress. */
  requestsMax: number;
}

export interface ConnectionSettings {
  connectionEventsPerSecond: number;
  connectionEventsBurst: number;
  userEventsPerSecond: number | undefined;
  userEventsBurst: number | undefined;
  connectionBytesPerSecond: number | undefined;
  connectionBytesBurst: number | undefined;
  connectionRequestsMax: number | undefined;
}

/**
 * By default, a user may send as much as two busy connections. A few more connections may start
 * with a burst at the same time, for example after a computer restarts.
 */
const USER_CONNECTIONS = 2;
const USER_BURSTS = 10;

/** By default the bytes allow for events of this size, at the full rate and in a full burst. */
const EVENT_BYTES = 5_000;
const BURST_EVENT_BYTES = 10_000;

/** Default values grow with the limits of events. */
export function connectionLimitsOf(settings: ConnectionSettings): ConnectionLimits {
  const events = { perSecond: settings.connectionEventsPerSecond, burst: settings.connectionEventsBurst };
  return {
    events,
    userEvents: {
      perSecond: settings.userEventsPerSecond ?? USER_CONNECTIONS * events.perSecond,
      burst: settings.userEventsBurst ?? USER_BURSTS * events.burst,
    },
    bytes: {
      perSecond: settings.connectionBytesPerSecond ?? EVENT_BYTES * events.perSecond,
      burst: settings.connectionBytesBurst ?? BURST_EVENT_BYTES * events.burst,
    },
    // As many as a client may send within a second.
    requestsMax: settings.connectionRequestsMax ?? events.burst + events.perSecond,
  };
}
