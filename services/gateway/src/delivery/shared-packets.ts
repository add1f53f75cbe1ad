/**
 * Packets that many connections get, one after the other: encoded once, framed once. Where a connection can take them as they go over the
 * wire, all of them are one write of one buffer that all connections share.
 */
const FINAL_TEXT_FRAME = 0x81;
/** Payloads longer than this say their length in 2 bytes, and above 65,535 in 8 (RFC 6455, section 5.2). */
const SHORT_BYTES_MAX = 125;
const MEDIUM_BYTES_MAX = 65_535;
const SHORT_HEADER_BYTES = 2;
const MEDIUM_HEADER_BYTES = 4;
const LONG_HEADER_BYTES = 10;
/** Engine.IO's type of a packet that carries a message, before each payload. */
const MESSAGE_TYPE = '4';

export class SharedPackets {
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
export function messageFrames(packets: readonly string[]): Buffer {
  const sizes = packets.map((packet) => MESSAGE_TYPE.length + Buffer.byteLength(packet));
  const frames = Buffer.allocUnsafe(sizes.reduce((sum, bytes) => sum + headerBytes(bytes) + bytes, 0));
  let at = 0;
  for (const [index, packet] of packets.entries()) {
    at = writeHeader(frames, at, sizes[index] as number);
    at += frames.write(MESSAGE_TYPE, at);
    at += frames.write(packet, at);
  }
  return frames;
}

function headerBytes(payloadBytes: number): number {
  if (payloadBytes <= SHORT_BYTES_MAX) return SHORT_HEADER_BYTES;
  return payloadBytes <= MEDIUM_BYTES_MAX ? MEDIUM_HEADER_BYTES : LONG_HEADER_BYTES;
}

/** Returns where the payload begins. */
function writeHeader(frames: Buffer, at: number, payloadBytes: number): number {
  frames[at] = FINAL_TEXT_FRAME;
  if (payloadBytes <= SHORT_BYTES_MAX) {
    frames[at + 1] = payloadBytes;
  } else if (payloadBytes <= MEDIUM_BYTES_MAX) {
    frames[at + 1] = SHORT_BYTES_MAX + 1;
    frames.writeUInt16BE(payloadBytes, at + 2);
  } else {
    frames[at + 1] = SHORT_BYTES_MAX + 2;
    frames.writeBigUInt64BE(BigInt(payloadBytes), at + 2);
  }
  return at + headerBytes(payloadBytes);
}
