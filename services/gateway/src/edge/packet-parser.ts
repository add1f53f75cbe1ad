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
const EVENT_TYPE_CHARS = 1;
/** Under which the payload of a CONNECT names the decoder that read it. No JSON can hold it. */
const DECODER = Symbol('decoder');

/** CONNECT packets of one transport: each is answered, so an unread answer must not be had for nothing. */
const CONNECTS_MAX = 4;

/** One for each transport. */
export class PacketDecoder extends Decoder {
  #connects = 0;
  #owner: unknown;
  #sink: RequestSink<never> | undefined;

  constructor() {
    super();
    this.on('decoded', onDecoded);
  }

  /**
   * From now on requests go to `sink` in the turn in which they came, without the library's two ticks, its copies of arguments and its search for
   * listeners. Whatever is no plain request goes on through the library.
   */
  handTo<Owner>(owner: Owner, sink: RequestSink<Owner>): void {
    this.#owner = owner;
    this.#sink = sink as RequestSink<never>;
  }

  override add(packet: unknown): void {
    if (typeof packet !== 'string') throw new Error('binary packets are not part of the contract');
    const isTooDeep = isNestedDeeper(packet, LIMITS.jsonDepthMax);
    if (this.#sink !== undefined && !isTooDeep && this.#addRequest(packet, this.#sink)) return;
    // As the library reads it, to whom a space or nothing is 0, CONNECT.
    const type = Number(packet.charAt(0));
    if (type === PacketType.BINARY_EVENT || type === PacketType.BINARY_ACK) {
      throw new Error('binary packets are not part of the contract');
    }
    if (packet[1] === '/') throw new Error('there is only the main namespace');
    // Requests behind it in the same turn come too late, as they do by the library's road.
    if (type === PacketType.DISCONNECT) this.#sink = undefined;
    if (type === PacketType.CONNECT && ++this.#connects > CONNECTS_MAX) throw new Error('too many attempts to connect');
    if (!isTooDeep) {
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
    const [, id, event] = EVENT_HEADER.exec(packet) ?? [];
    if (id === undefined || event === undefined || !Object.hasOwn(requestSchemas, event)) return false;
    const data = parseArray(packet.slice(EVENT_TYPE_CHARS + id.length));
    if (data === undefined) return false;
    data.shift();
    sink(this.#owner as never, event, data, id === '' ? undefined : Number(id));
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

/** Answers are written by `socket-wire.ts`, so the library needs not make a function for each. Who connects is told which decoder is its own. */
function onDecoded(this: PacketDecoder, packet: Packet): void {
  if (packet.type === PacketType.CONNECT && packet.data) Object.assign(packet.data, { [DECODER]: this });
  if (packet.type !== PacketType.EVENT || packet.id === undefined || !Array.isArray(packet.data)) return;
  packet.data.push(new AckId(packet.id));
  delete packet.id;
}

/** The decoder of a connection, by the payload of its CONNECT, which Socket.IO keeps as `handshake.auth`. */
export const decoderOf = (auth: object): PacketDecoder | undefined => (auth as { [DECODER]?: PacketDecoder })[DECODER];

/** CONNECT is not written when the library says so: `socket-wire.ts` writes it together with what comes first after it. */
class LateConnectEncoder extends Encoder {
  override encode(packet: Packet): unknown[] {
    return packet.type === PacketType.CONNECT ? [] : super.encode(packet);
  }
}

export const packetParser = { Encoder: LateConnectEncoder, Decoder: PacketDecoder };
