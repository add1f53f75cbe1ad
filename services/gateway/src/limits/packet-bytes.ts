/** The bytes of a packet from a client that count for its connection. */

/** Smaller packets cost no bytes: the limit of events bounds them well enough. */
const FREE_PACKET_CHARS = 1_024;

export const chargedBytes = (packet: string): number =>
  packet.length <= FREE_PACKET_CHARS ? 0 : Buffer.byteLength(packet);
