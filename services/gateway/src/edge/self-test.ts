/**
 * The fast path's self-test: one WebSocket over loopback, from its handshake to its end, on an
 * Engine.IO server like the given one. It detects a library version that behaves differently.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type EngineServer, takeOver } from './engine-takeover.ts';
import { Heartbeats, type PingedConnection } from './heartbeats.ts';
import { PacketBatch } from './packets.ts';
import { closeFrame, textFrames } from './websocket/frames.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** Generous, because a machine that starts many processes at once is slow. */
const DEADLINE_MS = 10_000;
const PATH = '/self-test';
const REQUEST =
  `GET ${PATH}/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;
/** An Engine.IO message in a masked frame. The mask is zero. */
const MESSAGE = Buffer.concat([Buffer.from([0x81, 0x86, 0, 0, 0, 0]), Buffer.from('4hello')]);
const PONG = Buffer.concat([Buffer.from([0x81, 0x81, 0, 0, 0, 0]), Buffer.from('3')]);

interface TestServer extends EngineServer {
  attach(server: HttpServer, options: { path: string }): void;
  once(event: 'connection', listener: (connection: TestConnection) => void): void;
}
interface TestConnection extends PingedConnection {
  pingTimeoutTimer: unknown;
  writeBuffer: unknown[];
  send(packet: string): void;
  close(): void;
  once(event: string, listener: (data: unknown) => void): void;
}

/** Rejects with the first difference from the expected behaviour. */
export async function runSelfTest(engine: EngineServer): Promise<void> {
  const Engine = engine.constructor as new (options: object) => TestServer;
  const tested = new Engine({ transports: ['websocket'], perMessageDeflate: false, wsEngine: engine.opts.wsEngine });
  takeOver(tested);
  let nowMs = 0;
  const heartbeats = new Heartbeats(tested, () => nowMs);
  const advance = (ms: number) => {
    nowMs += ms;
    heartbeats.run();
  };
  const server = createServer();
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  tested.attach(server, { path: PATH });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let timer: NodeJS.Timeout | undefined;
  const broken = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, DEADLINE_MS, new Error('the self-test did not finish in time'));
    client.on('close', () => reject(new Error('the WebSocket closed too early')));
  });
  try {
    await Promise.race([converse(tested, client, advance), broken]);
  } finally {
    clearTimeout(timer);
    client.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function converse(tested: TestServer, client: Socket, advance: (ms: number) => void): Promise<void> {
  const received = receiverOf(client);
  const connected = eventOf<TestConnection>((resolve) => tested.once('connection', resolve));
  client.write(REQUEST);
  const connection = await connected;
  await received('"maxPayload"');
  const { transport } = connection;
  if (!(transport instanceof WebSocketTransport)) throw new Error('Engine.IO creates its transports differently');
  const message = eventOf((resolve) => connection.once('data', resolve));
  client.write(MESSAGE);
  if ((await message) !== 'hello') throw new Error('Engine.IO reads a packet differently');
  if (!transport.writable || connection.writeBuffer.length > 0) throw new Error('an idle connection is not writable');
  if (!transport.writeFrames(new PacketBatch(['shared']).frames()))
    throw new Error('an idle connection does not accept frames');
  connection.send('sent');
  await received(Buffer.concat([new PacketBatch(['shared']).frames(), textFrames(['4sent'])]).toString('latin1'));
  const ping = textFrames(['2']).toString('latin1');
  const answered = eventOf((resolve) => connection.once('heartbeat', resolve));
  advance(2 * tested.opts.pingInterval);
  await received(ping);
  if (!connection.pingTimeoutTimer) throw new Error('Engine.IO does not wait for a pong');
  client.write(PONG);
  await answered;
  if (connection.pingTimeoutTimer) throw new Error('Engine.IO handles a pong differently');
  advance(2 * tested.opts.pingInterval);
  await received(ping + ping);
  const closed = eventOf((resolve) => connection.once('close', resolve));
  connection.close();
  await received(closeFrame(1005).toString('latin1'));
  await closed;
}

const eventOf = <T>(listen: (resolve: (value: T) => void) => void) => new Promise<T>(listen);

/** Resolves when the client has received a text. */
function receiverOf(client: Socket): (text: string) => Promise<void> {
  let text = '';
  let check = () => {};
  client.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
    check();
  });
  client.on('error', () => {});
  return (expected) =>
    new Promise((resolve) => {
      check = () => {
        if (text.includes(expected)) resolve();
      };
      check();
    });
}
