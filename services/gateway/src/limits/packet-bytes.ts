/** The bytes of a packet that are charged to its connection. */

/** Smaller packets cost no bytes, because the limit of events is enough for them. */
const FREE_PACKET_CHARS = 1_024;

export const chargedBytes = (packet: string): number =>
  packet.length <= FREE_PACKET_CHARS ? 0 : Buffer.byteLength(packet);
