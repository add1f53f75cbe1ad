/**
 * The lower bound in Node.js: the cost of receiving a message, storing it and writing it to every
 * member. It writes Socket.IO packets by hand, without a library, checks, heartbeats or limits. It
 * encodes each message's frame once, before publishing it, and writes that buffer to every member.
 * Not for production.
 */
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { OPCODE, serverFrame } from '../generator/frames.ts';

const { BENCH_REDIS_URL: url = '' } = process.env;
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPEN = serverFrame(
  '0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
);
const CONNECTED = serverFrame('40{"sid":"floor"}');
const EMPTY: Buffer = Buffer.alloc(0);

const store = new Redis(url, { protocol: 2 });
const subscriber = new Redis(url, { protocol: 2 });
/** Local rooms by channel. */
const rooms = new Map<string, { members: Set<Socket>; subscribed: Promise<unknown> }>();

subscriber.on('smessageBuffer', (channel: Buffer, frame: Buffer) => {
  const room = rooms.get(channel.toString('latin1'));
  if (room !== undefined) for (const member of room.members) member.write(frame);
});

const server = createServer({ noDelay: true }, (socket) => {
  let incomplete = EMPTY;
  let upgraded = false;
  let channel: string | undefined;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (channel !== undefined) rooms.get(channel)?.members.delete(socket);
  });
  socket.on('data', (chunk) => {
    let bytes = incomplete.length === 0 ? chunk : Buffer.concat([incomplete, chunk]);
    if (!upgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        incomplete = bytes;
        return;
      }
      upgraded = true;
      socket.write(switchProtocols(bytes.toString('latin1', 0, end)));
      socket.write(OPEN);
      bytes = bytes.subarray(end + 4);
    }
    incomplete = readClientFrames(bytes, socket, onText);
  });

  function onText(text: string): void {
    if (text.startsWith('40')) {
      socket.write(CONNECTED);
      return;
    }
    if (!text.startsWith('42')) return;
    const array = text.indexOf('[');
    const id = text.slice(2, array);
    const [event, payload] = JSON.parse(text.slice(array)) as [
      string,
      { room: string; clientMsgId: string; text: string },
    ];
    if (event === 'room:join') void join(id, payload.room);
    else void append(id, payload);
  }

  async function join(id: string, name: string): Promise<void> {
    channel = `live:${name}`;
    let room = rooms.get(channel);
    if (room === undefined) {
      room = { members: new Set(), subscribed: subscriber.ssubscribe(channel) };
      rooms.set(channel, room);
    }
    await room.subscribed;
    room.members.add(socket);
    socket.write(serverFrame(`43${id}[{"ok":true,"data":{"room":"${name}"}}]`));
  }

  async function append(id: string, message: { room: string; clientMsgId: string; text: string }): Promise<void> {
    const ts = Date.now();
    const { room, clientMsgId, text } = message;
    const body = JSON.stringify({ room, ts, type: 'text', from: { id: 'floor', name: 'floor' }, clientMsgId, text });
    // One pipeline keeps the order: store, then publish. The replies come after the flush to disk.
    const replies = await store
      .pipeline()
      .xadd(`log:${room}`, '*', 'b', body)
      .spublish(`live:${room}`, serverFrame(`42["message",${body}]`))
      .exec();
    if (replies?.some(([error]) => error !== null) === false)
      socket.write(serverFrame(`43${id}[{"ok":true,"data":{"ts":${ts}}}]`));
  }
});

function switchProtocols(request: string): string {
  const key = /^Sec-WebSocket-Key: *(\S+)/im.exec(request)?.[1] ?? '';
  const accept = createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/**
 * Calls `onText` for each complete text frame and returns the incomplete rest. Client frames are
 * masked. The generator's are shorter than 64 KiB.
 */
function readClientFrames(bytes: Buffer, socket: Socket, onText: (text: string) => void): Buffer {
  let at = 0;
  while (bytes.length - at >= 6) {
    let length = (bytes[at + 1] as number) & 0x7f;
    let start = at + 2;
    if (length === 126) {
      if (bytes.length - at < 8) break;
      length = bytes.readUInt16BE(start);
      start += 2;
    }
    const mask = start;
    start += 4;
    if (start + length > bytes.length) break;
    const opcode = (bytes[at] as number) & 0x0f;
    if (opcode === OPCODE.close) socket.end();
    else if (opcode === OPCODE.text) {
      for (let index = 0; index < length; index++)
        bytes[start + index] = (bytes[start + index] as number) ^ (bytes[mask + (index & 3)] as number);
      onText(bytes.toString('utf8', start, start + length));
    }
    at = start + length;
  }
  return at === bytes.length ? EMPTY : bytes.subarray(at);
}

server.listen({ port: Number(process.env.BENCH_PORT), host: '127.0.0.1', backlog: 4_096 }, () =>
  process.send?.('listening'),
);
// The bench has ended.
process.on('disconnect', () => process.exit(0));
