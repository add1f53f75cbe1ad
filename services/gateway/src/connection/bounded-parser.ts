/**
 * The Socket.IO packet parser with bounds that hold before anything is parsed: no binary, no namespace but the main one, few
 * attempts to connect, and no JSON nested deeper than the contract can need. A request that is nested too deeply still
 * reaches its handler, which answers `invalid`; whatever else is out of bounds ends the transport.
 */
import { LIMITS, requestSchemas } from '@maru/protocol';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { isNestedDeeper } from '../limits/json-depth.ts';

/** Stands in the place of a payload that was nested too deeply. No schema takes it. */
export const TOO_DEEP = Symbol('nested too deeply');

/** The number under which a client waits for the answer to its event; stands behind the event's payload. */
export class AckId {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/** What a decoder hands requests to, past the library, once somebody has signed in. */
export type RequestSink<Owner> = (owner: Owner, event: string, payloads: unknown[], ackId: number | undefined) => void;

const EVENT_HEADER = /^2(\d{0,15})\["([^"\\]{1,64})"/;
const EVENT_TYPE = '2';
const ACK_ID_DIGITS_MAX = 15;
const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
const BRACKET = 0x5b;

/** CONNECT packets of one transport: each is answered, so an unread answer must not be had for nothing. */
const CONNECTS_MAX = 4;

/** One for each transport. */
export class BoundedDecoder extends Decoder {
  #connects = 0;
  #owner: unknown;
  #sink: RequestSink<never> | undefined;

  constructor() {
    super();
    this.on('decoded', takeAckId);
  }

  /**
   * From now on requests go to `sink` in the turn in which they came, without the library's two ticks, its copies of arguments and its search for
   * listeners. Whatever is no plain request goes on through the library.
   */
  handTo<Owner>(owner: Owner, sink: RequestSink<Owner> | undefined): void {
    this.#owner = owner;
    this.#sink = sink as RequestSink<never> | undefined;
  }

  override add(packet: unknown): void {
    if (typeof packet !== 'string') throw new Error('binary packets are not part of the contract');
    if (this.#sink !== undefined && this.#addRequest(packet, this.#sink)) return;
    // As the library reads it, to whom a space or nothing is 0, CONNECT.
    const type = Number(packet.charAt(0));
    if (type === PacketType.BINARY_EVENT || type === PacketType.BINARY_ACK) {
      throw new Error('binary packets are not part of the contract');
    }
    if (packet[1] === '/') throw new Error('there is only the main namespace');
    // Requests behind it in the same turn come too late, as they do by the library's road.
    if (type === PacketType.DISCONNECT) this.#sink = undefined;
    if (type === PacketType.CONNECT && ++this.#connects > CONNECTS_MAX) throw new Error('too many attempts to connect');
    if (!isNestedDeeper(packet, LIMITS.jsonDepthMax)) {
      super.add(packet);
      return;
    }
    const header = EVENT_HEADER.exec(packet);
    const [, id = '', event = ''] = header ?? [];
    // Only names that we know: the library's own events must never be raised by a client.
    if (!Object.hasOwn(requestSchemas, event)) throw new Error('nested too deeply');
    const data = [event, TOO_DEEP];
    this.emitReserved('decoded', { type: PacketType.EVENT, nsp: '/', data, ...(id === '' ? {} : { id: Number(id) }) });
  }

  /** False where the packet is none that a client of the contract sends: then it is the library's to judge. */
  #addRequest(packet: string, sink: RequestSink<never>): boolean {
    if (packet[0] !== EVENT_TYPE) return false;
    let at = 1;
    let id = 0;
    for (let code = packet.charCodeAt(at); code >= DIGIT_ZERO && code <= DIGIT_NINE; code = packet.charCodeAt(++at))
      id = id * 10 + code - DIGIT_ZERO;
    if (packet.charCodeAt(at) !== BRACKET || at > 1 + ACK_ID_DIGITS_MAX) return false;
    if (isNestedDeeper(packet, LIMITS.jsonDepthMax)) return false;
    const data = parseArray(packet.slice(at));
    const event = data?.[0];
    if (data === undefined || typeof event !== 'string' || !Object.hasOwn(requestSchemas, event)) return false;
    data.shift();
    sink(this.#owner as never, event, data, at > 1 ? id : undefined);
    return true;
  }
}

function parseArray(json: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Answers are written by `socket-wire.ts`, so the library needs not make a function for each. */
function takeAckId(packet: Packet): void {
  if (packet.type !== PacketType.EVENT || packet.id === undefined || !Array.isArray(packet.data)) return;
  packet.data.push(new AckId(packet.id));
  delete packet.id;
}

/** CONNECT is not written when the library says so: `socket-wire.ts` writes it together with what comes first after it. */
class LateConnectEncoder extends Encoder {
  override encode(packet: Packet): unknown[] {
    return packet.type === PacketType.CONNECT ? [] : super.encode(packet);
  }
}

export const boundedParser = { Encoder: LateConnectEncoder, Decoder: BoundedDecoder };
