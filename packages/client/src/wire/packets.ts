/**
 * Packets of Socket.IO 5 in messages of Engine.IO 4, limited to what a chat uses: text only. Pure.
 */

/** The content of a WebSocket frame from the server. */
export type Incoming =
  /** The server sends a ping at least this often; null if it does not say. */
  | { kind: 'open'; pingsWithinMs: number | null }
  | { kind: 'ping' | 'close' | 'connected' | 'disconnect' | 'other' }
  | { kind: 'refused'; message: string; data: unknown }
  | { kind: 'event'; name: string; payload: unknown }
  | { kind: 'answer'; id: number; answer: unknown };

export const PONG = '3';
export const DISCONNECT = '41';
export const connectPacket = (auth: object): string => `40${JSON.stringify(auth)}`;
export const eventPacket = (name: string, payload: object, id: number | null): string =>
  `42${id ?? ''}${JSON.stringify([name, payload])}`;

/** Null if the frame is not a valid packet. */
export function readPacket(frame: string): Incoming | null {
  switch (frame.charAt(0)) {
    case '0':
      return { kind: 'open', pingsWithinMs: pingsWithin(frame.slice(1)) };
    case '1':
      return { kind: 'close' };
    case '2':
      return { kind: 'ping' };
    case '4':
      return readMessage(frame);
    default:
      // Pong, upgrade and noop need no answer.
      return /^[356]/.test(frame) ? { kind: 'other' } : null;
  }
}

function pingsWithin(handshake: string): number | null {
  const { pingInterval, pingTimeout } = (parsed(handshake) ?? {}) as Record<string, unknown>;
  return typeof pingInterval === 'number' && typeof pingTimeout === 'number' ? pingInterval + pingTimeout : null;
}

function readMessage(frame: string): Incoming | null {
  const [head = '', type, digits] = /^4([0-4])(\d*)/.exec(frame) ?? [];
  const data = parsed(frame.slice(head.length));
  switch (type) {
    case '0':
      return { kind: 'connected' };
    case '1':
      return { kind: 'disconnect' };
    case '2':
      return Array.isArray(data) && typeof data[0] === 'string'
        ? { kind: 'event', name: data[0], payload: data[1] }
        : null;
    case '3':
      return Array.isArray(data) && digits !== '' ? { kind: 'answer', id: Number(digits), answer: data[0] } : null;
    case '4': {
      const { message, data: reason } = (data ?? {}) as { message?: unknown; data?: unknown };
      return { kind: 'refused', message: String(message), data: reason };
    }
    default:
      return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
