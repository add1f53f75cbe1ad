/**
 * Packets that many connections get, one after the other: encoded once, framed once. Where a connection can take them as they go over the
 * wire, all of them are one write of one buffer that all connections share.
 */
import { textFrames } from './websocket/frames.ts';

/** Engine.IO's type of a packet that carries a message, before each payload. */
const MESSAGE_TYPE = '4';

export class PacketBatch {
  /** Socket.IO packets, in order. */
  readonly packets: readonly string[];
  #framed: Buffer | undefined;

  constructor(packets: readonly string[]) {
    this.packets = packets;
  }

  /** All packets as the WebSocket frames that a server sends them in. Never changed: connections share it. */
  framed(): Buffer {
    this.#framed ??= messageFrames(this.packets);
    return this.#framed;
  }
}

/** Each packet as an Engine.IO message in an unmasked WebSocket text frame of its own, back to back. */
export const messageFrames = (packets: readonly string[]): Buffer => textFrames(packets, MESSAGE_TYPE);

/** A Socket.IO EVENT packet of the main namespace. `json` is the encoded payload. */
export const eventPacket = (event: string, json: string): string => `2["${event}",${json}]`;

/** A Socket.IO ACK packet of the main namespace. `json` is the encoded acknowledgement. */
export const ackPacket = (id: number, json: string): string => `3${id}[${json}]`;
