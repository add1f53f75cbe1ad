/**
 * Writes WebSocket frames as a server (RFC 6455, section 5): unmasked, unfragmented, without
 * extensions.
 */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** Close codes (section 7.4.1). */
export const CLOSE_CODE = {
  protocolError: 1002,
  noneGiven: 1005,
  invalidText: 1007,
  policy: 1008,
  tooLarge: 1009,
} as const;

export const FINAL = 0x80;
/**
 * Lengths up to this are in the second byte, lengths up to 65,535 in 2 further bytes, longer ones
 * in 8.
 */
export const SHORT_BYTES_MAX = 125;
const MEDIUM_BYTES_MAX = 65_535;
const SHORT_HEADER_BYTES = 2;
const MEDIUM_HEADER_BYTES = 4;
const LONG_HEADER_BYTES = 10;

/** Each text in a frame of its own, after `prefix`, which must be ASCII. */
export function textFrames(texts: readonly string[], prefix = ''): Buffer {
  const sizes = texts.map((text) => prefix.length + Buffer.byteLength(text));
  const frames = Buffer.allocUnsafe(sizes.reduce((sum, bytes) => sum + headerBytes(bytes) + bytes, 0));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    at = writeHeader(frames, at, OPCODE.text, sizes[index] as number);
    at += frames.write(prefix, at);
    at += frames.write(text, at);
  }
  return frames;
}

export function frameOf(opcode: Opcode, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes(payload.length) + payload.length);
  payload.copy(frame, writeHeader(frame, 0, opcode, payload.length));
  return frame;
}

/** The payload is empty for CLOSE_CODE.noneGiven. */
export function closeFrame(code: number, reason = ''): Buffer {
  if (code === CLOSE_CODE.noneGiven) return frameOf(OPCODE.close, Buffer.alloc(0));
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return frameOf(OPCODE.close, payload);
}

function headerBytes(payloadBytes: number): number {
  if (payloadBytes <= SHORT_BYTES_MAX) return SHORT_HEADER_BYTES;
  return payloadBytes <= MEDIUM_BYTES_MAX ? MEDIUM_HEADER_BYTES : LONG_HEADER_BYTES;
}

/** Returns the index of the payload. */
function writeHeader(frames: Buffer, at: number, opcode: Opcode, payloadBytes: number): number {
  frames[at] = FINAL | opcode;
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
