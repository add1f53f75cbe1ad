/** A WebSocket from its handshake to its end, over loopback, on an Engine.IO server like the given one: whether all goes as our transport expects. */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type EngineServer, takeOver } from './engine-takeover.ts';
import { Heartbeats, type PingedConnection } from './heartbeats.ts';
import { messageFrames } from './packets.ts';
import { closeFrame, textFrames } from './websocket/frames.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** On a machine that starts many processes at once everything takes its time. */
const DEADLINE_MS = 10_000;
const PATH = '/rehearsal';
const REQUEST =
  `GET ${PATH}/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;
/** An Engine.IO message in a masked frame; the mask is zeroes. */
const MESSAGE = Buffer.concat([Buffer.from([0x81, 0x86, 0, 0, 0, 0]), Buffer.from('4hello')]);
const PONG = Buffer.concat([Buffer.from([0x81, 0x81, 0, 0, 0, 0]), Buffer.from('3')]);

interface Trial extends EngineServer {
  attach(server: HttpServer, options: { path: string }): void;
  once(event: 'connection', listener: (connection: TrialConnection) => void): void;
}
interface TrialConnection extends PingedConnection {
  pingTimeoutTimer: unknown;
  writeBuffer: unknown[];
  send(packet: string): void;
  close(): void;
  once(event: string, listener: (data: unknown) => void): void;
}

/** Rejects with what is otherwise than expected. */
export async function runSelfTest(engine: EngineServer): Promise<void> {
  const Engine = engine.constructor as new (options: object) => Trial;
  const trial = new Engine({ transports: ['websocket'], perMessageDeflate: false, wsEngine: engine.opts.wsEngine });
  takeOver(trial);
  let nowMs = 0;
  const heartbeats = new Heartbeats(trial, () => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
    heartbeats.run();
  };
  const server = createServer();
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  trial.attach(server, { path: PATH });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let timer: NodeJS.Timeout | undefined;
  const broken = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, DEADLINE_MS, new Error('a WebSocket does not get from its handshake to its end'));
    client.on('close', () => reject(new Error('a WebSocket ends too early')));
  });
  try {
    await Promise.race([converse(trial, client, pass), broken]);
  } finally {
    clearTimeout(timer);
    client.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function converse(trial: Trial, client: Socket, pass: (ms: number) => void): Promise<void> {
  const hears = listenTo(client);
  const connected = heard<TrialConnection>((tell) => trial.once('connection', tell));
  client.write(REQUEST);
  const connection = await connected;
  await hears('"maxPayload"');
  const { transport } = connection;
  if (!(transport instanceof WebSocketTransport)) throw new Error('Engine.IO makes its transports otherwise');
  const message = heard((tell) => connection.once('data', tell));
  client.write(MESSAGE);
  if ((await message) !== 'hello') throw new Error('Engine.IO reads a packet otherwise');
  if (!transport.writable || connection.writeBuffer.length > 0)
    throw new Error('an idle connection does not look idle');
  if (!transport.writeFrames(messageFrames(['shared']))) throw new Error('an idle connection cannot be written to');
  connection.send('sent');
  await hears(Buffer.concat([messageFrames(['shared']), textFrames(['4sent'])]).toString('latin1'));
  const ping = textFrames(['2']).toString('latin1');
  const answered = heard((tell) => connection.once('heartbeat', tell));
  pass(2 * trial.opts.pingInterval);
  await hears(ping);
  if (!connection.pingTimeoutTimer) throw new Error('Engine.IO does not wait for the answer to a ping');
  client.write(PONG);
  await answered;
  if (connection.pingTimeoutTimer) throw new Error('Engine.IO takes the answer to a ping otherwise');
  pass(2 * trial.opts.pingInterval);
  await hears(ping + ping);
  const closed = heard((tell) => connection.once('close', tell));
  connection.close();
  await hears(closeFrame(1005).toString('latin1'));
  await closed;
}

const heard = <T>(listen: (tell: (what: T) => void) => void) => new Promise<T>(listen);

/** Waits for a text among all that the client was sent. */
function listenTo(client: Socket): (text: string) => Promise<void> {
  let received = '';
  let look = () => {};
  client.setEncoding('latin1').on('data', (text) => {
    received += text;
    look();
  });
  client.on('error', () => {});
  return (text) =>
    new Promise((resolve) => {
      look = () => {
        if (received.includes(text)) resolve();
      };
      look();
    });
}
