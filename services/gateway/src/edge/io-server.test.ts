/** How a WebSocket begins, on a real server: what is sent, and in how many writes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { createLogger } from '@maru/service-kit';
import { poll } from '@maru/service-kit/testing';
import { createTicker } from '../cluster/ticker.ts';
import { SocketConnection } from './connection.ts';
import { FastPath } from './fast-path.ts';
import { closeIo, createIo } from './io-server.ts';
import { decoderOf } from './packet-parser.ts';
import { upgradeRequest } from './testing/upgrade-request.ts';
import { OPCODE } from './websocket/frames.ts';
import { masked } from './websocket/testing/client-frames.ts';

const httpServer = createServer();
const io = createIo(httpServer, { node: 'n-1', sessionRoute: 'name', allowedOrigins: new Set() });
const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const now = () => performance.now();
const fastPath = new FastPath({ enabled: true, engine: io.engine, logger, now });
/** Of the server's end of the last connection, by the public road. */
let writes = 0;
let begin: (wire: SocketConnection) => void = () => {};

before(async () => {
  httpServer.on('connection', (socket: Socket) => {
    writes = 0;
    const { _write, _writev } = socket;
    socket._write = (...args) => {
      writes++;
      _write.apply(socket, args);
    };
    socket._writev = (...args) => {
      writes++;
      _writev?.apply(socket, args);
    };
  });
  io.on('connection', (socket) => begin(new SocketConnection(socket, fastPath)));
  await fastPath.open(createTicker({ periodMs: 500, logger, now }));
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
});
after(async () => {
  await closeIo(io, httpServer);
  fastPath.close();
});

async function open(version: string) {
  const socket = connect((httpServer.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(upgradeRequest({ path: `/socket.io/?EIO=${version}&transport=websocket` }));
  return { socket, received: () => text };
}

test('the answer to a handshake and OPEN are one write', async () => {
  const { socket, received } = await open('4');
  await poll('OPEN', () => received().includes('"maxPayload"'));
  assert.match(received(), /^HTTP\/1\.1 101 .*\r\n\r\n..?.?0\{"sid":"n-1\./s);
  assert.equal(writes, 1);
  socket.destroy();
});

test('a client of another version is told so', async () => {
  const { socket, received } = await open('3');
  await poll('the refusal', () => received().includes('HTTP/1.1 400'));
  socket.destroy();
});

test('CONNECT goes out with what is sent first, in one write, or alone when it is not to wait', async () => {
  const connected = async (first: (wire: SocketConnection) => void) => {
    const { direct } = fastPath.writes;
    begin = first;
    const { socket, received } = await open('4');
    await poll('OPEN', () => received().includes('"maxPayload"'));
    const opened = received().length;
    socket.write(masked(OPCODE.text, '40{}'));
    await poll('CONNECT', () => /40\{"sid":"[\w-]{20}"\}/.test(received().slice(opened)));
    socket.destroy();
    const frames = received()
      .slice(opened)
      .replace(/^.*?(40\{)/s, '$1');
    return { frames: frames.replace(/"sid":"[^"]+"/, ''), writes: fastPath.writes.direct - direct };
  };
  const notice = (wire: SocketConnection) => wire.emit('notice', { code: 'degraded' });
  const told = await connected(notice);
  assert.match(told.frames, /^40\{\}\x81.42\["notice",\{"code":"degraded"\}\]$/);
  assert.equal(told.writes, 1);
  assert.deepEqual(await connected((wire) => wire.greet()), { frames: '40{}', writes: 1 });
  const twice = await connected((wire) => {
    wire.greet();
    wire.greet();
  });
  assert.deepEqual(twice, { frames: '40{}', writes: 1 });
});

test("Socket.IO keeps what names a connection's decoder, so its requests go past the library", async () => {
  const seen: unknown[] = [];
  begin = () => {};
  io.once('connection', (socket) => {
    socket.onAny((...args) => seen.push(args));
    decoderOf(socket.handshake.auth)?.handTo('owner', (...call) => seen.push(call));
  });
  const { socket, received } = await open('4');
  await poll('OPEN', () => received().includes('"maxPayload"'));
  const connected = once(io, 'connection');
  socket.write(masked(OPCODE.text, '40{}'));
  await connected;
  socket.write(masked(OPCODE.text, '421["typing",{}]'));
  await poll('the request', () => seen.length > 0);
  assert.deepEqual(seen, [['owner', 'typing', [{}], 1]]);
  socket.destroy();
});
