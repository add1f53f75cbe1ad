/**
 * Just enough of RFC 6455 to be a server of text frames in tests: no fragments, no compression, no frames above 64 KiB. It stands alone so
 * that the load test's own codec is judged against something that does not share its mistakes (see also the test with socket.io-client).
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

export interface TextSocket {
  send(text: string): void;
  close(): void;
}

export interface TextHandlers {
  frame(text: string): void;
  closed(): void;
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE = { text: 0x1, close: 0x8 } as const;

/** Takes every upgrade of `server`. */
export function acceptWebSockets(server: Server, accept: (socket: TextSocket) => TextHandlers): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    const key = request.headers['sec-websocket-key'] ?? '';
    const proof = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proof}\r\n\r\n`,
    );
    const handlers = accept({
      send: (text) => socket.writable && socket.write(encodeFrame(OPCODE.text, Buffer.from(text))),
      close: () => socket.writable && socket.end(encodeFrame(OPCODE.close, Buffer.from([0x03, 0xe8]))),
    });
    let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let frame = decodeFrame(rest); frame !== undefined; frame = decodeFrame(rest)) {
        rest = rest.subarray(frame.length);
        if (frame.opcode === OPCODE.text) handlers.frame(frame.payload.toString());
        else if (frame.opcode === OPCODE.close) socket.end(encodeFrame(OPCODE.close, frame.payload));
      }
    });
    // A client that resets its connection has closed it as well.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => handlers.closed());
  });
}

function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const length = payload.length;
  const header = length < 126 ? Buffer.from([0x80 | opcode, length]) : Buffer.alloc(4);
  if (length >= 126) {
    header.writeUInt8(0x80 | opcode, 0);
    header.writeUInt8(126, 1);
    header.writeUInt16BE(length, 2);
  }
  return Buffer.concat([header, payload]);
}

/** The first whole frame of `bytes`, unmasked, and its length with header; undefined while it is not whole. */
function decodeFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const maskAt = short === 126 ? 4 : 2;
  if (bytes.length < maskAt + 4) return undefined;
  const size = short === 126 ? bytes.readUInt16BE(2) : short;
  const start = maskAt + 4;
  if (bytes.length < start + size) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + size));
  for (let i = 0; i < size; i++) payload.writeUInt8(payload.readUInt8(i) ^ bytes.readUInt8(maskAt + (i % 4)), i);
  return { opcode: bytes.readUInt8(0) & 0x0f, payload, length: start + size };
}
