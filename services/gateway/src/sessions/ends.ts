/**
 * How connections end: the only table of these rules.
 *
 * An end to come back from closes the transport, and clients reconnect by themselves. An end to
 * stay away from sends Socket.IO's DISCONNECT, after which a plain client gives up.
 */

export interface EndRule {
  /** True: close the transport. False: send DISCONNECT. */
  readonly comesBack: boolean;
  /** Drop the backlog. A client that does not read would keep it in memory. */
  readonly discardsBacklog: boolean;
  readonly logLevel: 'debug' | 'info';
}

export const ENDS = {
  /** Too many bytes or packets are queued for the client. */
  slow_consumer: { comesBack: true, discardsBacklog: true, logLevel: 'info' },
  /** The client keeps sending after many refusals. */
  flood: { comesBack: true, discardsBacklog: true, logLevel: 'info' },
  /** The node drains. It logs the drain once, so single ends are debug output. */
  draining: { comesBack: true, discardsBacklog: false, logLevel: 'debug' },
  /** A gap in a room can no longer be read. The client resumes and learns that. */
  lost_hole: { comesBack: true, discardsBacklog: false, logLevel: 'info' },
  /** The store failed while entries were delivered. */
  store: { comesBack: true, discardsBacklog: false, logLevel: 'info' },
  too_many_connections: { comesBack: true, discardsBacklog: false, logLevel: 'info' },
  /** The token expired. `notice expiring` came before. The client needs a new token. */
  expired: { comesBack: false, discardsBacklog: false, logLevel: 'debug' },
} as const satisfies Record<string, EndRule>;

/** A metric label, so the set is bounded. */
export type EndReason = keyof typeof ENDS;

export const COMING_BACK_REASONS = (Object.keys(ENDS) as EndReason[]).filter((reason) => ENDS[reason].comesBack);
