/** Our transport on a real Engine.IO server, with a bare socket as the client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { messageFrames } from './packets.ts';
import { changeWait } from './testing/change-wait.ts';
import { openWebSocketRig } from './testing/websocket-rig.ts';
import { closeFrame, frameOf, OPCODE, textFrames } from './websocket/frames.ts';
import { masked } from './websocket/testing/client-frames.ts';

const rig = await openWebSocketRig();
after(rig.close);

const LARGE_BYTES = 1_048_576;
const large = messageFrames(Array.from({ length: 20 }, () => `2["${'x'.repeat(LARGE_BYTES)}"]`));
const shared = (text: string) => messageFrames([`2["${text}"]`]);
const message = (text: string) => textFrames([`42["${text}"]`]);
/**
 * More than any kernel's buffers; the client, in this process, cannot read before the turn is over.
 */
function fill(transport: { writeFrames(frames: Buffer): boolean }): void {
  assert.equal(transport.writeFrames(large), true);
}

test('Engine.IO uses our transport', () => assert.equal(rig.path.state, 'on'));

describe('an idle connection', () => {
  test('gets shared and own packets as messages, in the order of the calls', async () => {
    const { engine, transport, received } = await rig.open();
    assert.equal(transport.writeFrames(messageFrames(['2["a"]', '2["안녕 🙂"]'])), true);
    engine.send('2["b"]');
    assert.equal(transport.writeFrames(shared('c')), true);
    const expected = Buffer.concat([textFrames(['42["a"]', '42["안녕 🙂"]']), message('b'), message('c')]);
    await poll('all of it', () => received().length >= expected.length);
    assert.ok(received().equals(expected));
  });

  test('stays writable with nothing queued, and Engine.IO calls back for each packet', async () => {
    const { engine, transport } = await rig.open();
    let called = 0;
    const { send } = engine as unknown as { send(data: string, options: object, done: () => void): void };
    for (let i = 0; i < 3; i++) send.call(engine, 'x', {}, () => called++);
    assert.equal(called, 3);
    assert.equal(transport.writable, true);
    assert.deepEqual([transport.queuedBytes, engine.writeBuffer.length], [0, 0]);
  });

  test('sends a binary packet as a binary message between texts, for any buffer type', async () => {
    const { transport, received } = await rig.open();
    const bytes = new Uint8Array([0, 1, 2, 3]);
    for (const data of [Buffer.from([1, 2]), bytes.subarray(1, 3), bytes.slice(1, 3).buffer]) {
      transport.send([
        { type: 'message', data: 'a' },
        { type: 'message', data },
        { type: 'message', data: 'b' },
      ]);
    }
    const once = [textFrames(['4a']), frameOf(OPCODE.binary, Buffer.from([1, 2])), textFrames(['4b'])];
    const expected = Buffer.concat([...once, ...once, ...once]);
    await poll('all of it', () => received().length >= expected.length);
    assert.ok(received().equals(expected));
  });

  test('reads nothing while it pauses, not even the rest of a chunk, and then everything in order', async () => {
    const { engine, transport, client } = await rig.open();
    const heard: unknown[] = [];
    const begun: boolean[] = [];
    engine.on('data', (data) => {
      heard.push(data);
      if (data === 'b') begun.push(transport.pauseReading(200), transport.pauseReading(200));
    });
    const pausedAtMs = performance.now();
    client.write(Buffer.concat(['4a', '4b', '4c', '4d'].map((text) => masked(OPCODE.text, text))));
    await poll('the first', () => heard.length === 2);
    client.write(masked(OPCODE.text, '4e'));
    await poll('all', () => heard.length === 5);
    assert.ok(performance.now() - pausedAtMs >= 190);
    assert.deepEqual(heard, ['a', 'b', 'c', 'd', 'e']);
    assert.deepEqual(begun, [true, false]);
  });

  test('receives what the client sends, also in pieces', async () => {
    const { engine, client } = await rig.open();
    const heard: unknown[] = [];
    engine.on('data', (data) => heard.push(data));
    const frames = Buffer.concat([masked(OPCODE.text, '4하나'), masked(OPCODE.text, '4two')]);
    client.setNoDelay(true);
    for (const byte of frames) {
      client.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await poll('both', () => heard.length === 2);
    assert.deepEqual(heard, ['하나', 'two']);
  });
});

describe('a connection whose client does not read', () => {
  test('gets nothing before its backlog, which counts as queued, and everything in order once it reads', async () => {
    const { engine, transport, received } = await rig.open();
    fill(transport);
    assert.ok(transport.queuedBytes > LARGE_BYTES);
    assert.equal(transport.writable, false);
    assert.equal(transport.writeFrames(shared('no')), false);
    engine.send('2["queued"]');
    assert.equal(engine.writeBuffer.length, 1);
    await poll('what was queued', () => received().includes('queued'));
    assert.equal(transport.writable, true);
    assert.equal(transport.writeFrames(shared('last')), true);
    const expected = Buffer.concat([large, message('queued'), message('last')]);
    await poll('all of it', () => received().length >= expected.length);
    assert.ok(received().equals(expected));
  });

  test('gets nothing before its backlog, even from a callback of Engine.IO', async () => {
    const { engine, transport, received } = await rig.open();
    const { send } = engine as unknown as { send(data: string, options?: object, done?: () => void): void };
    const taken: boolean[] = [];
    send.call(engine, 'x'.repeat(20 * LARGE_BYTES), {}, () => taken.push(transport.writeFrames(shared('late'))));
    send.call(engine, '2["queued"]');
    await poll('what was queued', () => received().includes('queued'));
    assert.deepEqual(taken, [false]);
  });

  test('is closed after its backlog, even if the kernel has room again', async () => {
    const { engine, client, transport, received } = await rig.open();
    fill(transport);
    let closed = false;
    // In the turn in which the client has read, before the stream notices.
    client.on('data', () => {
      if (closed || received().length < LARGE_BYTES) return;
      closed = true;
      assert.ok(transport.queuedBytes > 0);
      engine.close();
    });
    const expected = Buffer.concat([large, closeFrame(1005)]);
    await poll('all of it', () => received().length >= expected.length);
    assert.ok(received().equals(expected));
  });

  test('gets no answers to probes that it does not read', async () => {
    const { transport } = await rig.open();
    fill(transport);
    const queued = transport.queuedBytes;
    // Like Engine.IO during an upgrade, which does not check `writable`.
    for (let i = 0; i < 1_000; i++) transport.send([{ type: 'pong', data: 'probe' }]);
    assert.equal(transport.queuedBytes, queued);
  });

  test('is dropped at once with its backlog if it is discarded', async () => {
    const { engine, transport, socket, client } = await rig.open();
    client.pause();
    fill(transport);
    engine.close(true);
    assert.equal(socket.destroyed, true);
    await poll('the end', () => transport.readyState === 'closed');
    client.destroy();
  });

  test('gets a pong for its last ping only', async () => {
    const { transport, client, received } = await rig.open();
    client.pause();
    fill(transport);
    client.write(Buffer.concat(Array.from({ length: 100 }, (_, index) => masked(OPCODE.ping, `${index}`))));
    const queued = transport.queuedBytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(transport.queuedBytes <= queued);
    client.resume();
    const expected = Buffer.concat([large, frameOf(OPCODE.pong, Buffer.from('99'))]);
    await poll('all of it', () => received().length >= expected.length);
    assert.ok(received().equals(expected));
  });

  test('the stream gets what the kernel does not take, after earlier writes', async () => {
    const { transport, socket, received } = await rig.open();
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    const filler = shared('f'.repeat(1_000));
    let filled = Buffer.alloc(0);
    let rest = filler.subarray(0, 0);
    try {
      while (rest.length === 0) {
        const taken = writeSync(fd, filler);
        filled = Buffer.concat([filled, filler.subarray(0, taken)]);
        rest = filler.subarray(taken);
      }
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    }
    assert.equal(transport.writeFrames(Buffer.concat([rest, shared('behind')])), true);
    assert.ok(transport.queuedBytes > 0);
    const expected = Buffer.concat([filled, rest, shared('behind')]);
    await poll('all of it', () => received().length >= expected.length);
    assert.ok(received().equals(expected));
  });
});

describe('the network socket', () => {
  test('is not written to by its descriptor after its end: another socket may have the descriptor', async () => {
    const { transport, socket } = await rig.open();
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'maru-descriptor-')), 'file');
    socket.destroy();
    // In the same turn, before any event.
    const reused = openSync(file, 'w');
    try {
      assert.equal(reused, fd);
      transport.writeFrames(shared('gone'));
      assert.equal(readFileSync(file, 'utf8'), '');
    } finally {
      closeSync(reused);
      rmSync(path.dirname(file), { recursive: true });
    }
    await poll('the end', () => transport.readyState === 'closed');
    assert.equal(transport.writeFrames(shared('gone')), false);
  });

  test('is written to by its stream if it has no descriptor or is of another kind', async () => {
    for (const change of [
      (socket: Socket) =>
        Object.defineProperty((socket as never as { _handle: object })._handle, 'fd', { value: undefined }),
      (socket: Socket) => Object.setPrototypeOf(socket, Object.create(Object.getPrototypeOf(socket))),
    ]) {
      let streamed = 0;
      rig.server.once('initial_headers', (_: object, request: { socket: Socket }) => {
        const { socket } = request;
        change(socket);
        const { write } = socket;
        socket.write = function (this: Socket, ...args: never[]) {
          streamed++;
          return (write as (...all: never[]) => boolean).apply(this, args);
        } as Socket['write'];
      });
      const { transport, received } = await rig.open();
      const before = streamed;
      assert.equal(transport.writeFrames(shared('a')), true);
      await poll('the frames', () => received().equals(message('a')));
      assert.equal(streamed, before + 1);
    }
  });
});

describe('an upgrade', () => {
  const pong = textFrames(['3probe']);

  test('from long-polling is probed, and the queue follows', async () => {
    const connected = once(rig.server, 'connection');
    const { client, received } = await rig.upgrade(await rig.poll());
    const [engine] = await connected;
    client.write(masked(OPCODE.text, '2probe'));
    await poll('the probe', () => received().equals(pong));
    engine.send('2["queued"]');
    client.write(masked(OPCODE.text, '5'));
    const expected = Buffer.concat([pong, message('queued')]);
    await poll('all of it', () => received().equals(expected));
    assert.equal(engine.transport.name, 'websocket');
  });

  test('of a session that is being upgraded already is closed, and dropped if its client does not close it', async (t) => {
    const sid = await rig.poll();
    const first = await rig.upgrade(sid);
    changeWait(t, 30_000, 200);
    const { socket, received } = await rig.upgrade(sid);
    await poll('the close', () => received().equals(closeFrame(1005)));
    assert.equal(first.received().length, 0);
    await poll('the end of the socket', () => socket.destroyed);
  });
});

test('a client that sends no pongs is closed, even while it gets data; one that sends them stays', async () => {
  const quick = await openWebSocketRig({ pingInterval: 100, pingTimeout: 1_000 });
  after(quick.close);
  const [alive, dead] = [await quick.open(), await quick.open()];
  let pings = 0;
  alive.client.on('data', (chunk) => {
    if (!chunk.includes(textFrames(['2']))) return;
    pings++;
    alive.client.write(masked(OPCODE.text, '3'));
  });
  await poll('the end', () => {
    alive.transport.writeFrames(shared('x'));
    dead.transport.writeFrames(shared('x'));
    return dead.engine.readyState === 'closed' && pings >= 3;
  });
  assert.equal(alive.engine.readyState, 'open');
  assert.ok(dead.received().includes(message('x')));
});
