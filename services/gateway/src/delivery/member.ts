import type { RemovalReason } from '@maru/protocol';
import type { PacketBatch } from '../edge/packets.ts';

/** A connection as delivery sees it. Packets MUST arrive in the order of the calls. */
export interface Member {
  readonly user: { readonly id: string };
  /** Queues one encoded Socket.IO packet. */
  send(packet: string): void;
  /** Queues packets that other connections get, too. */
  sendBatch(batch: PacketBatch): void;
  /**
   * Resolves when most of the backlog has left. Ends the connection if the backlog stops shrinking.
   */
  drained(): Promise<void>;
  readonly closed: boolean;
  /** The room's entries end here for this member. The client is informed. */
  removedFrom(room: string, reason: RemovalReason): void;
  /** Closes the transport. The client reconnects and resumes. */
  end(reason: DeliveryEndReason): void;
}

/** `lost_hole`: a gap can no longer be read. `store`: the log could not be read. */
export type DeliveryEndReason = 'lost_hole' | 'store';
