/**
 * Socket.IO's packet parser with limits that hold before parsing: no binary packets, only the main
 * namespace, few CONNECT packets, bounded JSON depth. A request that is nested too deeply still
 * reaches its handler, which answers `invalid`. Other violations close the transport.
 *
 * After sign-in, requests go straight from here to the connection's sink. That skips the library's
 * two ticks, its copies of the arguments and its search for listeners.
 */
import { LIMITS, requestSchemas } from '@maru/protocol';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { isNestedDeeper } from '../limits/json-depth.ts';
import { chargedBytes } from '../limits/packet-bytes.ts';

/** Replaces a payload that is nested too deeply. No schema accepts it. */
export const TOO_DEEP = Symbol('nested too deeply');

/**
 * Receives the requests of a connection. `ackId`: the id of the ACK packet that the client waits
 * for. `bytes`: see `chargedBytes`.
 */
export type RequestSink<Owner> = (
  owner: Owner,
  event: unknown,
  payloads: unknown[],
  ackId: number | undefined,
  bytes: number,
) => void;

const EVENT_HEADER = /^2(\d{0,15})\["([^"\\]{1,64})"/;
const EVENT_TYPE_CHARS = 1;
/** The key of the decoder in the payload of its CONNECT packet. JSON cannot contain it. */
const DECODER = Symbol('decoder');

/**
 * Maximum CONNECT packets per transport. Each one queues a reply, so a client that never reads
 * could exhaust memory.
 */
const CONNECTS_MAX = 4;

/** One for each transport. */
export class PacketDecoder extends Decoder {
  #connects = 0;
  /** Of the packet that is being decoded. */
  #bytes = 0;
  #owner: unknown;
  #sink: RequestSink<never> | undefined;

  constructor() {
    super();
    this.on('decoded', onDecoded);
  }

  /** From now on `sink` receives the requests, in the event loop turn of their arrival. */
  receive<Owner>(owner: Owner, sink: RequestSink<Owner>): void {
    this.#owner = owner;
    this.#sink = sink as RequestSink<never>;
  }

  /** Throws if the packet must close the transport. */
  override add(packet: unknown): void {
    if (typeof packet !== 'string') throw new Error('binary packets are not part of the contract');
    const isTooDeep = isNestedDeeper(packet, LIMITS.jsonDepthMax);
    this.#bytes = chargedBytes(packet);
    if (this.#addRequest(packet, isTooDeep)) return;
    // The library reads a space or nothing as 0, CONNECT. `Number` does the same.
    const type = Number(packet.charAt(0));
    if (type === PacketType.BINARY_EVENT || type === PacketType.BINARY_ACK) {
      throw new Error('binary packets are not part of the contract');
    }
    if (packet[1] === '/') throw new Error('there is only the main namespace');
    if (isTooDeep) throw new Error('nested too deeply');
    // Requests after DISCONNECT are too late, even in the same turn.
    if (type === PacketType.DISCONNECT) this.#sink = undefined;
    if (type === PacketType.CONNECT && ++this.#connects > CONNECTS_MAX) throw new Error('too many attempts to connect');
    super.add(packet);
  }

  /** For packets that the library decoded. */
  request(event: unknown, payloads: unknown[], ackId: number | undefined): void {
    this.#sink?.(this.#owner as never, event, payloads, ackId, this.#bytes);
  }

  /**
   * Hands over a request of the contract without the library. False if the packet is something
   * else.
   */
  #addRequest(packet: string, isTooDeep: boolean): boolean {
    if (this.#sink === undefined) return false;
    const [, id, event] = EVENT_HEADER.exec(packet) ?? [];
    if (id === undefined || event === undefined || !Object.hasOwn(requestSchemas, event)) return false;
    const payloads = isTooDeep ? [event, TOO_DEEP] : parseArray(packet.slice(EVENT_TYPE_CHARS + id.length));
    if (payloads === undefined) return false;
    payloads.shift();
    this.request(event, payloads, id === '' ? undefined : Number(id));
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

/**
 * Runs before the library's own listener. CONNECT gets a reference to its decoder. Events outside
 * the contract also go to the sink, which answers `invalid`; the library has no listeners for them.
 */
function onDecoded(this: PacketDecoder, packet: Packet): void {
  if (packet.type === PacketType.CONNECT && packet.data) Object.assign(packet.data, { [DECODER]: this });
  if (packet.type !== PacketType.EVENT) return;
  // An event without a name is also counted, and charged to the connection.
  const [event, ...payloads] = Array.isArray(packet.data) ? packet.data : [];
  this.request(event, payloads, packet.id);
}

/**
 * The decoder of a connection. `auth` is the payload of its CONNECT, which Socket.IO keeps as
 * `handshake.auth`.
 */
export const decoderOf = (auth: object): PacketDecoder | undefined => (auth as { [DECODER]?: PacketDecoder })[DECODER];

/** Drops CONNECT: `connection.ts` writes it together with the first packet after it. */
class LateConnectEncoder extends Encoder {
  override encode(packet: Packet): unknown[] {
    return packet.type === PacketType.CONNECT ? [] : super.encode(packet);
  }
}

export const packetParser = { Encoder: LateConnectEncoder, Decoder: PacketDecoder };
