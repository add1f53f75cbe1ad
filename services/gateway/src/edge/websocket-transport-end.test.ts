/** How connections on our transport end: by the server, by the client, or by the network. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { messageFrames } from './packets.ts';
import { openWebSocketRig } from './testing/websocket-rig.ts';
import { closeFrame, OPCODE } from './websocket/frames.ts';
import { masked } from './websocket/testing/client-frames.ts';

const rig = await openWebSocketRig();
after(rig.close);

/** From this call on, the running close timer lasts half a minute. */
function expectDroppedAfterHalfAMinute(timers: TestContext['mock']['timers'], socket: Socket): void {
  timers.tick(29_999);
  assert.equal(socket.destroyed, false);
  timers.tick(1);
  assert.equal(socket.destroyed, true);
  timers.reset();
}

const closeReason = (engine: { on(event: string, listener: (...args: unknown[]) => void): void }) =>
  new Promise((resolve) => engine.on('close', resolve));

test('by the server: its close frame, the client’s close frame, then the socket', async () => {
  const { engine, transport, socket, client, received } = await rig.open();
  engine.close();
  assert.equal(transport.writeFrames(messageFrames(['2["late"]'])), false);
  await poll('the frames', () => received().equals(closeFrame(1005)));
  assert.equal(socket.destroyed, false);
  client.write(masked(OPCODE.close, ''));
  await once(client, 'close');
  await poll('the end of the socket', () => socket.destroyed && transport.readyState === 'closed');
});

test('by the client: the server returns the same code and reason', async () => {
  const { engine, client, received } = await rig.open();
  const closed = closeReason(engine);
  client.write(masked(OPCODE.close, Buffer.concat([Buffer.from([0x03, 0xe9]), Buffer.from('bye')])));
  await once(client, 'end');
  assert.ok(received().equals(closeFrame(1001, 'bye')));
  assert.equal(await closed, 'transport close');
});

test('by the client: Engine.IO gets the end at once, even if the client keeps the socket open', async () => {
  const { engine, socket, client } = await rig.open();
  const closed = closeReason(engine);
  client.write(masked(OPCODE.close, ''));
  assert.equal(await closed, 'transport close');
  assert.equal(socket.destroyed, false);
});

test('without a close frame or by a reset: Engine.IO gets the end, and nothing is left', async () => {
  for (const end of [(client: Socket) => client.end(), (client: Socket) => client.resetAndDestroy()]) {
    const { engine, socket, client } = await rig.open();
    const closed = closeReason(engine);
    end(client);
    assert.equal(await closed, 'transport close');
    await poll('the end of the socket', () => socket.destroyed);
  }
});

for (const [name, frame, code] of [
  ['breaks the protocol', Buffer.from([0x81, 1, 0x61]), 1002],
  ['sends what is not UTF-8', masked(OPCODE.text, Buffer.from([0xff])), 1007],
  ['sends a message above the limit', masked(OPCODE.text, 'x'.repeat(1_000_001)), 1009],
] as const) {
  test(`of a client that ${name}: it gets a code, and its further input is ignored`, async () => {
    const { engine, client, received } = await rig.open();
    const heard: unknown[] = [];
    engine.on('data', (data) => heard.push(data));
    const closed = closeReason(engine);
    client.write(Buffer.concat([frame, masked(OPCODE.text, '4late')]));
    assert.equal(await closed, 'transport error');
    await once(client, 'end');
    assert.ok(received().equals(closeFrame(code)));
    assert.deepEqual(heard, []);
  });
}

test('by the server, if the client does not close its side: dropped after half a minute', async (t) => {
  const { engine, socket, client } = await rig.open();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  engine.close();
  expectDroppedAfterHalfAMinute(t.mock.timers, socket);
  client.destroy();
});

test('by the client, with a backlog: dropped with the backlog after half a minute', async (t) => {
  const { engine, transport, socket, client } = await rig.open();
  client.pause();
  transport.writeFrames(messageFrames([`2["${'x'.repeat(20_000_000)}"]`]));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  client.end();
  while (engine.readyState !== 'closed') await new Promise((resolve) => setImmediate(resolve));
  assert.ok(transport.queuedBytes > 0);
  expectDroppedAfterHalfAMinute(t.mock.timers, socket);
  client.destroy();
});
