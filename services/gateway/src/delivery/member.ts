import type { PacketBatch } from '../edge/packets.ts';

/** A connection, as the delivery of rooms sees it. */
export interface Member {
  /** Queues one encoded Socket.IO packet. Keeps the order of everything sent to this connection. */
  send(packet: string): void;
  /** The same for packets that others get too. */
  sendBatch(shared: PacketBatch): void;
  /** Resolves when most of what was queued has left; rejects when it does not within the bound of a slow consumer. */
  drained(): Promise<void>;
  readonly closed: boolean;
  /** Ends the transport, so that the client comes back and resumes. */
  cut(reason: CutReason): void;
}

/** Why a transport was ended by the server although the client may come back. Bounded: it is a metric's label. */
export type CutReason = 'slow_consumer' | 'flood' | 'draining' | 'lost_hole' | 'store' | 'too_many_connections';
