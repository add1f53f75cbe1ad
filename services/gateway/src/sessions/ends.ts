/**
 * How connections end: the only table of these rules.
 *
 * If the client should reconnect, the transport is closed, and clients reconnect by themselves. If
 * the client should stay away, DISCONNECT is sent, after which a plain Socket.IO client gives up.
 */

import type { Notice } from '@maru/protocol';

export interface EndRule {
  /** True: close the transport. False: send DISCONNECT. */
  readonly comesBack: boolean;
  /** Drop the backlog. A client that does not read would keep it in memory. */
  readonly discardsBacklog: boolean;
  readonly logLevel: 'debug' | 'info';
  /** Sent before the end, so the client knows the reason. Other ends had a notice before. */
  readonly notice?: Notice;
}

/** How long a client waits before it tries again to get one of its user's connections. */
export const CONNECTIONS_RETRY_MS = 5_000;

export const ENDS = {
  /** Too many bytes or packets are queued for the client. */
  slow_consumer: { comesBack: true, discardsBacklog: true, logLevel: 'info' },
  /** The client keeps sending after many refusals. */
  flood: { comesBack: true, discardsBacklog: true, logLevel: 'info', notice: { code: 'flood' } },
  /** The node drains. It logs the drain once, so single ends are debug output. */
  draining: { comesBack: true, discardsBacklog: false, logLevel: 'debug' },
  /** A gap in a room can no longer be read. The client resumes and learns that. */
  lost_hole: { comesBack: true, discardsBacklog: false, logLevel: 'info', notice: { code: 'store' } },
  /** The store failed while entries were delivered. */
  store: { comesBack: true, discardsBacklog: false, logLevel: 'info', notice: { code: 'store' } },
  too_many_connections: {
    comesBack: true,
    discardsBacklog: false,
    logLevel: 'info',
    notice: {
      code: 'too_many_connections',
      reconnectInMs: CONNECTIONS_RETRY_MS,
      message: 'the user has the maximum of connections',
    },
  },
  /** An administrator revoked the user's tokens. */
  revoked: { comesBack: false, discardsBacklog: false, logLevel: 'info', notice: { code: 'revoked' } },
  /** An administrator disconnected the user, who may reconnect. */
  disconnected: { comesBack: true, discardsBacklog: false, logLevel: 'info' },
  /** The token expired. `notice expiring` came before. The client needs a new token. */
  expired: { comesBack: false, discardsBacklog: false, logLevel: 'debug' },
} as const satisfies Record<string, EndRule>;

/** A metric label, so the set is bounded. */
export type EndReason = keyof typeof ENDS;

export const COMING_BACK_REASONS = (Object.keys(ENDS) as EndReason[]).filter((reason) => ENDS[reason].comesBack);
