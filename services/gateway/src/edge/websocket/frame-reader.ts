/**
 * Reads what a client sends over a WebSocket (RFC 6455, section 5), in whatever pieces it comes: whole messages, whole control frames, or the
 * first violation, after which nothing is read. Holds at most the largest message that is allowed and one chunk, each at most twice, and for a moment the last frame of a message once more.
 */
import { isUtf8 } from 'node:buffer';
import { CLOSE_CODE, FINAL, OPCODE, SHORT_BYTES_MAX } from './frames.ts';
import { GrowingBuffer } from './growing-buffer.ts';

/** What is read, told at once and in order. Buffers are the receiver's to keep. */
export interface FrameSink {
  receivedText(text: string): void;
  receivedBinary(bytes: Buffer): void;
  receivedPing(payload: Buffer): void;
  /** The peer sends nothing more. `code` is CLOSE_CODE.noneGiven where it gave none. */
  receivedClose(code: number, reason: string): void;
  /** The peer broke the protocol, or a bound; `code` is what to close with. */
  receivedViolation(code: number, reason: string): void;
}

const RESERVED = 0x70;
const OPCODE_BITS = 0x0f;
const MASKED = 0x80;
const LENGTH_BITS = 0x7f;
const MASK_BYTES = 4;
/** Bits of the first half of a long length. */
const HALF = 2 ** 32;

interface Header {
  opcode: number;
  isFinal: boolean;
  /** Where the mask begins, and the payload behind it. */
  maskAt: number;
  payloadBytes: number;
}
interface Violation {
  code: number;
  reason: string;
}

export class FrameReader {
  readonly #messageBytesMax: number;
  /** The beginning of a frame that has not come whole. */
  #rest: GrowingBuffer | undefined;
  /** What has come of a message in fragments, and its opcode: 0 while there is none. */
  #fragments: GrowingBuffer | undefined;
  #fragmented = 0;
  /** A close was read, or a violation. */
  #ended = false;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** The chunk is unmasked in its place. */
  read(chunk: Buffer, sink: FrameSink): void {
    let bytes = chunk;
    if (this.#rest !== undefined) {
      this.#rest.append(chunk);
      bytes = this.#rest.bytes();
    }
    let at = 0;
    while (!this.#ended) {
      const end = this.#readFrame(bytes, at, sink);
      if (end < 0) break;
      at = end;
    }
    if (this.#ended || at === bytes.length) this.#rest = undefined;
    else if (at > 0 || this.#rest === undefined) this.#rest = new GrowingBuffer(bytes.subarray(at));
  }

  /** Where the frame ends that begins at `at`; -1 while it has not come whole. */
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

  /** What can be told from what has come: undefined while that is not all. */
  #readHeader(bytes: Buffer, at: number): Header | Violation | undefined {
    if (bytes.length - at < 2) return undefined;
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    const violation = this.#judge(first, second);
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

  /** The first two bytes of a frame. */
  #judge(first: number, second: number): Violation | undefined {
    const violation = (reason: string) => ({ code: CLOSE_CODE.protocolError, reason });
    const opcode = first & OPCODE_BITS;
    if ((first & RESERVED) !== 0) return violation('reserved bits are set');
    if (opcode === OPCODE.continuation) {
      if (this.#fragmented === 0) return violation('nothing is there to be continued');
    } else if (opcode <= OPCODE.binary) {
      if (this.#fragmented !== 0) return violation('a message begins within another');
    } else if (opcode < OPCODE.close || opcode > OPCODE.pong) {
      return violation('an opcode is unknown');
    } else if (first < FINAL || (second & LENGTH_BITS) > SHORT_BYTES_MAX) {
      return violation('a control frame is in fragments, or too long');
    } else if (opcode === OPCODE.close && (second & LENGTH_BITS) === 1) {
      return violation('a close has half a code');
    }
    if ((second & MASKED) === 0) return violation('a frame is not masked');
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
    else this.#violate({ code: CLOSE_CODE.invalidText, reason: 'a text is not UTF-8' }, sink);
  }

  #takeClose(payload: Buffer, sink: FrameSink): void {
    if (payload.length === 0) {
      this.#ended = true;
      sink.receivedClose(CLOSE_CODE.noneGiven, '');
      return;
    }
    const code = payload.readUInt16BE();
    const reason = payload.subarray(2);
    if (!mayBeSent(code)) {
      this.#violate({ code: CLOSE_CODE.protocolError, reason: 'a close has no code that may be sent' }, sink);
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

/** Codes that an endpoint may send (section 7.4): some only tell what happened, others are not defined. */
function mayBeSent(code: number): boolean {
  if (code >= 3_000) return code <= 4_999;
  return code >= 1_000 && code <= 1_014 && (code < 1_004 || code > 1_006);
}
