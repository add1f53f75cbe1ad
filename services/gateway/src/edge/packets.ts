/** Encoded Socket.IO packets, and batches of them that many connections share. */
import { textFrames } from './websocket/frames.ts';

/** Engine.IO's packet type `message`, before each Socket.IO packet. */
const MESSAGE_TYPE = '4';

/** A Socket.IO EVENT packet of the main namespace. `json` is the encoded payload. */
export const eventPacket = (event: string, json: string): string => `2["${event}",${json}]`;

/** A Socket.IO ACK packet of the main namespace. `json` is the encoded acknowledgement. */
export const ackPacket = (id: number, json: string): string => `3${id}[${json}]`;

/** Each packet as an Engine.IO message in an unmasked WebSocket text frame of its own. */
export const messageFrames = (packets: readonly string[]): Buffer => textFrames(packets, MESSAGE_TYPE);

/** Packets in order for many connections. They are encoded and framed once. */
export class PacketBatch {
  readonly packets: readonly string[];
  #frames: Buffer | undefined;

  constructor(packets: readonly string[]) {
    this.packets = packets;
  }

  /** All packets as WebSocket frames. Connections share the buffer, so it MUST NOT be changed. */
  frames(): Buffer {
    this.#frames ??= messageFrames(this.packets);
    return this.#frames;
  }
}
