/**
 * The parts of WebSocket and Socket.IO that a generated client needs, working on bytes. The
 * generator reads tens of thousands of frames per second on part of one core, so it decodes only
 * what it counts. Pure.
 */

/** A frame's opcode and payload. The next frame begins at `end`. */
export interface FrameBounds {
  opcode: number;
  start: number;
  end: number;
}

export const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const LENGTH_16 = 126;
const LENGTH_64 = 127;
const FINAL = 0x80;
const MASKED = 0x80;

/**
 * Reads the header of the frame at `from` into `bounds`. False if the frame is incomplete at `to`.
 * @throws if the frame is fragmented, masked or longer than 4 GiB. No measured server sends these.
 */
export function readFrame(bytes: Buffer, from: number, to: number, bounds: FrameBounds): boolean {
  if (to - from < 2) return false;
  const first = bytes[from] as number;
  const second = bytes[from + 1] as number;
  if ((first & FINAL) === 0 || (second & MASKED) !== 0) throw new Error('a fragmented or masked frame from a server');
  let start = from + 2;
  let length = second;
  if (second === LENGTH_16) {
    if (to - from < 4) return false;
    length = bytes.readUInt16BE(start);
    start += 2;
  } else if (second === LENGTH_64) {
    if (to - from < 10) return false;
    if (bytes.readUInt32BE(start) !== 0) throw new Error('a frame longer than 4 GiB');
    length = bytes.readUInt32BE(start + 4);
    start += 8;
  }
  if (start + length > to) return false;
  bounds.opcode = first & 0x0f;
  bounds.start = start;
  bounds.end = start + length;
  return true;
}

/**
 * A client's text frame with a mask of zero. The mask leaves the text unchanged, which saves the
 * generator work. Servers still unmask it.
 */
export function clientFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < LENGTH_16 ? 6 : 8;
  if (length > 0xffff) throw new Error('a client frame longer than 64 KiB');
  const frame = Buffer.alloc(header + length);
  frame[0] = FINAL | OPCODE.text;
  if (length < LENGTH_16) frame[1] = MASKED | length;
  else {
    frame[1] = MASKED | LENGTH_16;
    frame.writeUInt16BE(length, 2);
  }
  frame.write(text, header);
  return frame;
}

/** A server's text frame, unmasked. */
export function serverFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < LENGTH_16 ? 2 : length <= 0xffff ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = FINAL | OPCODE.text;
  if (header === 2) frame[1] = length;
  else if (header === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  frame.write(text, header);
  return frame;
}

/**
 * A message text begins with `~<room>.<number>~`: the room's index and the message's number in it.
 * No other field of a packet contains `~`.
 */
const MARK = 0x7e;
const DOT = 0x2e;
const ZERO = 0x30;

export const markOf = (room: number, number: number): string => `~${room}.${number}~`;

/** Reads the mark in a payload. False if there is none. */
export function readMark(bytes: Buffer, start: number, end: number, mark: { room: number; number: number }): boolean {
  let at = bytes.indexOf(MARK, start);
  if (at < 0 || at >= end) return false;
  let room = 0;
  let byte = bytes[++at] as number;
  while (byte !== DOT) {
    if (!isDigit(byte)) return false;
    room = room * 10 + byte - ZERO;
    byte = bytes[++at] as number;
  }
  let number = 0;
  byte = bytes[++at] as number;
  while (byte !== MARK) {
    if (!isDigit(byte) || at >= end) return false;
    number = number * 10 + byte - ZERO;
    byte = bytes[++at] as number;
  }
  mark.room = room;
  mark.number = number;
  return true;
}

/** Reads the decimal number at `start`, for example an acknowledgement id. */
export function readNumber(bytes: Buffer, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (!isDigit(byte)) break;
    number = number * 10 + byte - ZERO;
  }
  return number;
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= ZERO + 9;
