/**
 * The client side of Engine.IO 4 and Socket.IO 5 over WebSocket text frames, as far as the chat
 * contract uses them: the main namespace, no binary. Pure; it runs on Node and in k6.
 */

/** The content of one frame from the server. */
export type Packet =
  | { type: 'open'; sid: string; pingIntervalMs: number; pingTimeoutMs: number }
  | { type: 'close' }
  | { type: 'ping' }
  | { type: 'noop' }
  | { type: 'connected'; sid: string }
  | { type: 'refused'; message: string; data: unknown }
  | { type: 'disconnected' }
  | { type: 'event'; name: string; args: unknown[]; ackId: number | undefined }
  | { type: 'ack'; id: number; args: unknown[] };

/** A frame that Maru's servers never send. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/**
 * Length of the quoted part of a bad frame: long enough to recognize it, too short to leak a
 * message.
 */
const EXCERPT_CHARS_MAX = 24;

/**
 * Reads one text frame.
 * @throws {ProtocolError} for anything that is not a packet of the contract
 */
export function decode(frame: string): Packet {
  switch (frame[0]) {
    case '0':
      return decodeOpen(frame);
    case '1':
      return { type: 'close' };
    case '2':
      return { type: 'ping' };
    case '4':
      return decodeSocketIo(frame);
    case '6':
      return { type: 'noop' };
    default:
      throw problem('an unknown Engine.IO packet', frame);
  }
}

function decodeOpen(frame: string): Packet {
  const { sid, pingInterval, pingTimeout } = asRecord(parse(frame.slice(1), frame), frame);
  if (typeof sid !== 'string' || typeof pingInterval !== 'number' || typeof pingTimeout !== 'number')
    throw problem('an open packet without sid and heartbeat', frame);
  return { type: 'open', sid, pingIntervalMs: pingInterval, pingTimeoutMs: pingTimeout };
}

function decodeSocketIo(frame: string): Packet {
  const kind = frame[1];
  if (frame[2] === '/') throw problem('a packet of another namespace', frame);
  switch (kind) {
    case '0': {
      const { sid } = asRecord(parse(frame.slice(2), frame), frame);
      if (typeof sid !== 'string') throw problem('a connect packet without sid', frame);
      return { type: 'connected', sid };
    }
    case '1':
      return { type: 'disconnected' };
    case '2': {
      const { id, args } = decodeArguments(frame);
      const [name, ...rest] = args;
      if (typeof name !== 'string') throw problem('an event without a name', frame);
      return { type: 'event', name, args: rest, ackId: id };
    }
    case '3': {
      const { id, args } = decodeArguments(frame);
      if (id === undefined) throw problem('an acknowledgement without an id', frame);
      return { type: 'ack', id, args };
    }
    case '4': {
      const { message, data } = asRecord(parse(frame.slice(2), frame), frame);
      return { type: 'refused', message: typeof message === 'string' ? message : '', data };
    }
    default:
      throw problem('an unknown or binary Socket.IO packet', frame);
  }
}

/** `42<id>[…]` and `43<id>[…]`: digits, which an event may omit, then a JSON array. */
function decodeArguments(frame: string): { id: number | undefined; args: unknown[] } {
  const start = frame.indexOf('[');
  const digits = frame.slice(2, start);
  if (start < 2 || !/^\d{0,15}$/.test(digits)) throw problem('a packet without arguments', frame);
  const args = parse(frame.slice(start), frame);
  if (!Array.isArray(args)) throw problem('arguments that are not an array', frame);
  return { id: digits === '' ? undefined : Number(digits), args };
}

function parse(json: string, frame: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw problem('invalid JSON', frame);
  }
}

function asRecord(value: unknown, frame: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem('not an object', frame);
  return value as Record<string, unknown>;
}

function problem(what: string, frame: string): ProtocolError {
  return new ProtocolError(`${what}: ${JSON.stringify(frame.slice(0, EXCERPT_CHARS_MAX))}`);
}

/** Frames that a client sends. */
export const encode = {
  pong: () => '3',
  connect: (auth: Record<string, unknown>) => `40${JSON.stringify(auth)}`,
  disconnect: () => '41',
  event: (name: string, payload: unknown, ackId: number | undefined) =>
    `42${ackId === undefined ? '' : ackId}${JSON.stringify([name, payload])}`,
} as const;

/**
 * The WebSocket address of a cluster's public address, `http://…` or `https://…`, with or
 * without a final slash.
 */
export function socketUrl(publicUrl: string): string {
  if (!/^https?:\/\//.test(publicUrl)) throw new ProtocolError(`not an http(s) address: ${publicUrl}`);
  return `${publicUrl.replace(/^http/, 'ws').replace(/\/+$/, '')}/socket.io/?EIO=4&transport=websocket`;
}
