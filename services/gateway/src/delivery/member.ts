import type { SharedPackets } from '../edge/shared-packets.ts';

/** A connection, as the delivery of rooms sees it. */
export interface Member {
  /** Queues one encoded Socket.IO packet. Keeps the order of everything sent to this connection. */
  send(frame: string): void;
  /** The same for packets that others get too. */
  sendShared(shared: SharedPackets): void;
  /** Resolves when most of what was queued has left; rejects when it does not within the bound of a slow consumer. */
  drained(): Promise<void>;
  readonly closed: boolean;
  /** Ends the transport, so that the client comes back and resumes. */
  cut(reason: CutReason): void;
}

/** Why a transport was ended by the server although the client may come back. Bounded: it is a metric's label. */
export type CutReason = 'slow_consumer' | 'flood' | 'draining' | 'lost_hole' | 'store' | 'too_many_connections';

/** A Socket.IO EVENT packet of the main namespace, encoded once for any number of connections. */
export const eventFrame = (event: string, json: string): string => `2["${event}",${json}]`;
