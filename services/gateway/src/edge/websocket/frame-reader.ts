/**
 * Reads the frames of a WebSocket client (RFC 6455, section 5) from chunks of any size. Reports
 * whole messages, whole control frames, and the first violation, after which it reads nothing. It
 * holds at most the largest allowed message and one chunk, each at most twice, and briefly the last
 * frame of a message once more.
 */
import { isUtf8 } from 'node:buffer';
import { CLOSE_CODE, FINAL, OPCODE, SHORT_BYTES_MAX } from './frames.ts';
import { GrowingBuffer } from './growing-buffer.ts';

/** Receives what was read, at once and in order. The sink owns the buffers. */
export interface FrameSink {
  receivedText(text: string): void;
  receivedBinary(bytes: Buffer): void;
  receivedPing(payload: Buffer): void;
  /** The peer sends nothing more. `code` is CLOSE_CODE.noneGiven if the peer gave none. */
  receivedClose(code: number, reason: string): void;
  /** The peer violated the protocol or a limit. Close with `code`. */
  receivedViolation(code: number, reason: string): void;
}

const RESERVED = 0x70;
const OPCODE_BITS = 0x0f;
const MASKED = 0x80;
const LENGTH_BITS = 0x7f;
const MASK_BYTES = 4;
/** Factor of the first half of a 64-bit length. */
const HALF = 2 ** 32;

interface Header {
  opcode: number;
  isFinal: boolean;
  /** Index of the mask. The payload follows it. */
  maskAt: number;
  payloadBytes: number;
}
interface Violation {
  code: number;
  reason: string;
}

export class FrameReader {
  readonly #messageBytesMax: number;
  /** The beginning of a frame that is not complete. */
  #rest: GrowingBuffer | undefined;
  /** The fragments of a message so far, and its opcode; 0 if there is none. */
  #fragments: GrowingBuffer | undefined;
  #fragmented = 0;
  /** A close or a violation was read. */
  #ended = false;
  #paused = false;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** Unmasks the chunk in place. */
  read(chunk: Buffer, sink: FrameSink): void {
    let bytes = chunk;
    if (this.#rest !== undefined) {
      this.#rest.append(chunk);
      bytes = this.#rest.bytes();
    }
    let at = 0;
    while (!this.#ended && !this.#paused) {
      const end = this.#readFrame(bytes, at, sink);
      if (end < 0) break;
      at = end;
    }
    if (this.#ended || at === bytes.length) this.#rest = undefined;
    else if (at > 0 || this.#rest === undefined) this.#rest = new GrowingBuffer(bytes.subarray(at));
  }

  /** Reads no further frame until `readOn`. Keeps the rest of the chunk. */
  pause(): void {
    this.#paused = true;
  }

  /** MUST NOT be called by the sink while it receives. */
  readOn(sink: FrameSink): void {
    this.#paused = false;
    const kept = this.#rest;
    this.#rest = undefined;
    if (kept !== undefined) this.read(kept.bytes(), sink);
  }

  /** The end of the frame that begins at `at`; -1 if it is not complete. */
  #readFrame(bytes: Buffer, at: number, sink: FrameSink): number {
    const header = this.#readHeader(bytes, at);
    if (header === undefined) return -1;
    if ('code' in header) {
      this.#violate(header, sink);
      return -1;
    }
    const { maskAt, payloadBytes } = header;
    const start = maskAt + MASK_BYTES;
    const end = start + payloadBytes;
    if (end > bytes.length) return -1;
    unmask(bytes, maskAt, start, end);
    this.#take(header, bytes.subarray(start, end), sink);
    return end;
  }

  /** Undefined if the header is not complete. */
  #readHeader(bytes: Buffer, at: number): Header | Violation | undefined {
    if (bytes.length - at < 2) return undefined;
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    const violation = this.#violationOf(first, second);
    if (violation !== undefined) return violation;
    let payloadBytes = second & LENGTH_BITS;
    let maskAt = at + 2;
    if (payloadBytes === SHORT_BYTES_MAX + 1) {
      maskAt += 2;
      if (bytes.length < maskAt) return undefined;
      payloadBytes = bytes.readUInt16BE(at + 2);
    } else if (payloadBytes === SHORT_BYTES_MAX + 2) {
      maskAt += 8;
      if (bytes.length < maskAt) return undefined;
      payloadBytes = bytes.readUInt32BE(at + 2) * HALF + bytes.readUInt32BE(at + 6);
    }
    const opcode = first & OPCODE_BITS;
    const messageBytes = (this.#fragments?.length ?? 0) + payloadBytes;
    if (opcode < OPCODE.close && messageBytes > this.#messageBytesMax)
      return { code: CLOSE_CODE.tooLarge, reason: 'a message is too large' };
    return { opcode, isFinal: first >= FINAL, maskAt, payloadBytes };
  }

  /** Checks the first two bytes of a frame. */
  #violationOf(first: number, second: number): Violation | undefined {
    const violation = (reason: string) => ({ code: CLOSE_CODE.protocolError, reason });
    const opcode = first & OPCODE_BITS;
    if ((first & RESERVED) !== 0) return violation('reserved bits are set');
    if (opcode === OPCODE.continuation) {
      if (this.#fragmented === 0) return violation('a continuation without a message');
    } else if (opcode <= OPCODE.binary) {
      if (this.#fragmented !== 0) return violation('a message inside a fragmented message');
    } else if (opcode < OPCODE.close || opcode > OPCODE.pong) {
      return violation('unknown opcode');
    } else if (first < FINAL || (second & LENGTH_BITS) > SHORT_BYTES_MAX) {
      return violation('a control frame is fragmented or too long');
    } else if (opcode === OPCODE.close && (second & LENGTH_BITS) === 1) {
      return violation('a close frame with one byte');
    }
    if ((second & MASKED) === 0) return violation('an unmasked frame');
    return undefined;
  }

  #take({ opcode, isFinal }: Header, payload: Buffer, sink: FrameSink): void {
    switch (opcode) {
      case OPCODE.close:
        this.#takeClose(payload, sink);
        break;
      case OPCODE.ping:
        sink.receivedPing(Buffer.from(payload));
        break;
      case OPCODE.pong:
        break;
      default:
        this.#takeData(opcode, isFinal, payload, sink);
    }
  }

  #takeData(opcode: number, isFinal: boolean, payload: Buffer, sink: FrameSink): void {
    if (isFinal && this.#fragmented === 0) {
      this.#takeMessage(opcode, payload, sink);
      return;
    }
    if (this.#fragmented === 0) this.#fragmented = opcode;
    if (this.#fragments === undefined) this.#fragments = new GrowingBuffer(payload);
    else this.#fragments.append(payload);
    if (!isFinal) return;
    const message = this.#fragments.bytes();
    const whole = this.#fragmented;
    this.#fragments = undefined;
    this.#fragmented = 0;
    this.#takeMessage(whole, message, sink);
  }

  #takeMessage(opcode: number, message: Buffer, sink: FrameSink): void {
    if (opcode === OPCODE.binary) sink.receivedBinary(Buffer.from(message));
    else if (isUtf8(message)) sink.receivedText(message.toString());
    else this.#violate({ code: CLOSE_CODE.invalidText, reason: 'a text message is not UTF-8' }, sink);
  }

  #takeClose(payload: Buffer, sink: FrameSink): void {
    if (payload.length === 0) {
      this.#ended = true;
      sink.receivedClose(CLOSE_CODE.noneGiven, '');
      return;
    }
    const code = payload.readUInt16BE();
    const reason = payload.subarray(2);
    if (!isSendable(code)) {
      this.#violate({ code: CLOSE_CODE.protocolError, reason: 'a close frame with a reserved code' }, sink);
    } else if (!isUtf8(reason)) {
      this.#violate({ code: CLOSE_CODE.invalidText, reason: "a close's reason is not UTF-8" }, sink);
    } else {
      this.#ended = true;
      sink.receivedClose(code, reason.toString());
    }
  }

  #violate({ code, reason }: Violation, sink: FrameSink): void {
    this.#ended = true;
    this.#fragments = undefined;
    sink.receivedViolation(code, reason);
  }
}

function unmask(bytes: Buffer, maskAt: number, start: number, end: number): void {
  for (let at = start, key = 0; at < end; at++, key = (key + 1) & 3)
    bytes[at] = (bytes[at] as number) ^ (bytes[maskAt + key] as number);
}

/**
 * Codes that an endpoint may send (section 7.4). Some are only for local use, others are undefined.
 */
function isSendable(code: number): boolean {
  if (code >= 3_000) return code <= 4_999;
  return code >= 1_000 && code <= 1_014 && (code < 1_004 || code > 1_006);
}
