/** How a WebSocket starts on a real server: what is sent, and in how many writes. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import type { Connection } from './connection.ts';
import { type EdgeRig, openEdgeRig } from './testing/edge-rig.ts';
import { upgradeRequest } from './testing/upgrade-request.ts';
import { OPCODE } from './websocket/frames.ts';
import { masked } from './websocket/testing/client-frames.ts';

let rig: EdgeRig;
/** Writes on the server's end of the last connection, through the stream. */
let writes = 0;

before(async () => {
  rig = await openEdgeRig();
  rig.httpServer.on('connection', (socket: Socket) => {
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
});
after(() => rig.close());

async function open(version: string) {
  const socket = connect(rig.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(upgradeRequest({ path: `/socket.io/?EIO=${version}&transport=websocket` }));
  return { socket, received: () => text };
}

test('the answer to the handshake and OPEN leave in one write', async () => {
  const { socket, received } = await open('4');
  await poll('OPEN', () => received().includes('"maxPayload"'));
  assert.match(received(), /^HTTP\/1\.1 101 .*\r\n\r\n..?.?0\{"sid":"n-1\./s);
  assert.equal(writes, 1);
  socket.destroy();
});

test('a client of another protocol version is refused', async () => {
  const { socket, received } = await open('3');
  await poll('the refusal', () => received().includes('HTTP/1.1 400'));
  socket.destroy();
});

test('CONNECT leaves with the first packet in one write, or alone if it must not wait', async () => {
  const connected = async (first: (connection: Connection) => void) => {
    const { direct } = rig.edge.fastPath.writes;
    rig.onConnected = first;
    const { socket, received } = await open('4');
    await poll('OPEN', () => received().includes('"maxPayload"'));
    const opened = received().length;
    socket.write(masked(OPCODE.text, '40{}'));
    await poll('CONNECT', () => /40\{"sid":"[\w-]{20}"\}/.test(received().slice(opened)));
    socket.destroy();
    const frames = received()
      .slice(opened)
      .replace(/^.*?(40\{)/s, '$1');
    return { frames: frames.replace(/"sid":"[^"]+"/, ''), writes: rig.edge.fastPath.writes.direct - direct };
  };
  const notice = (connection: Connection) => connection.emit('notice', { code: 'degraded' });
  const notified = await connected(notice);
  assert.match(notified.frames, /^40\{\}\x81.42\["notice",\{"code":"degraded"\}\]$/);
  assert.equal(notified.writes, 1);
  assert.deepEqual(await connected((connection) => connection.greet()), { frames: '40{}', writes: 1 });
  const twice = await connected((connection) => {
    connection.greet();
    connection.greet();
  });
  assert.deepEqual(twice, { frames: '40{}', writes: 1 });
});

test('requests of a connection reach its handler without the library', async () => {
  const requests: unknown[] = [];
  rig.onConnected = (connection) => connection.greet();
  rig.onRequest = (...request) => requests.push(request);
  const { socket, received } = await open('4');
  await poll('OPEN', () => received().includes('"maxPayload"'));
  socket.write(masked(OPCODE.text, '40{}'));
  await poll('CONNECT', () => /40\{"sid":"[\w-]{20}"\}/.test(received()));
  socket.write(masked(OPCODE.text, '421["typing",{}]'));
  await poll('the request', () => requests.length > 0);
  // The last element is the number of charged bytes. Small packets are free.
  assert.deepEqual(requests, [['owner', 'typing', [{}], 1, 0]]);
  socket.destroy();
});

test('a connection that ends during its start gets DISCONNECT, and its transport closes soon', async (t) => {
  rig.onConnected = (connection) => {
    connection.greet();
    connection.disconnect();
  };
  t.after(() => {
    rig.onConnected = () => {};
  });
  const { socket, received } = await open('4');
  await poll('OPEN', () => received().includes('"maxPayload"'));
  const opened = received().length;
  socket.write(masked(OPCODE.text, '40{"token":"x"}'));
  await poll('DISCONNECT', () => received().slice(opened).endsWith('41'));
  await poll('the end', () => received().slice(opened).includes('\x88'), { timeoutMs: 3_000 });
  socket.destroy();
});
