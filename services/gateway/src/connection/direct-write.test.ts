import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { Server } from 'socket.io';
import { messageFrames, SharedPackets } from '../delivery/shared-packets.ts';
import { DirectWriter, FastPath } from './direct-write.ts';
import { EMPTY_PING, type Inside, logger, openDirectRig, until } from './testing/direct-rig.ts';

const { io, port, inside, received, start, senderClass, close } = await openDirectRig();
after(close);

test('packets are framed exactly as ws frames them', () => {
  const asText = { fin: true, opcode: 1, mask: false, readOnly: false, rsv1: false };
  const letters = ['a', 'é', '한', '글', '🙂', '👩‍👩‍👧', '"', '\\', '\u0000', '\u2028', '\ud800'];
  const lengths = [0, 1, 123, 124, 125, 126, 127, 65_533, 65_534, 65_535, 65_536, 200_000];
  const seed = Date.now() % 1_000_000;
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const texts = lengths.map((length) => 'x'.repeat(length));
  for (let i = 0; i < 200; i++)
    texts.push(
      Array.from({ length: random(i % 10 === 0 ? 40_000 : 200) }, () => letters[random(letters.length)]).join(''),
    );
  const theirs = texts.map((text) => Buffer.concat(senderClass().frame(Buffer.from(`4${text}`), asText)));
  for (const [index, text] of texts.entries())
    assert.ok(messageFrames([text]).equals(theirs[index] as Buffer), `seed ${seed}, text ${index}`);
  assert.ok(messageFrames(texts).equals(Buffer.concat(theirs)), `seed ${seed}, all`);
});

describe('a plain open WebSocket', () => {
  test('gets what is written, each packet as a message of its own', async () => {
    const { path, writer } = start();
    received.length = 0;
    assert.equal(writer.write(new SharedPackets(['2["a"]', '2["안녕 🙂"]', `2["${'x'.repeat(70_000)}"]`])), true);
    await until(() => received.length === 3);
    assert.deepEqual(received.slice(0, 2), ['42["a"]', '42["안녕 🙂"]']);
    assert.deepEqual(path.writes, { direct: 1, queued: 0 });
  });

  const obstacles: Record<string, () => () => void> = {
    'has a packet queued in Engine.IO'() {
      inside.writeBuffer.push({});
      return () => inside.writeBuffer.pop();
    },
    'has given ws what has not left'() {
      inside.transport.writable = false;
      return () => {
        inside.transport.writable = true;
      };
    },
    'is being upgraded'() {
      inside.upgrading = true;
      return () => {
        inside.upgrading = false;
      };
    },
    'keeps back a frame that ws has written'() {
      inside.transport.socket._socket.cork();
      inside.transport.socket._socket.write(EMPTY_PING);
      return () => inside.transport.socket._socket.uncork();
    },
  };
  for (const [obstacle, put] of Object.entries(obstacles)) {
    test(`is not written to while it ${obstacle}`, () => {
      const { path, writer } = start();
      const take = put();
      try {
        assert.equal(writer.write(new SharedPackets(['2["no"]'])), false);
      } finally {
        take();
      }
      assert.deepEqual([path.state, path.writes.queued], ['on', 1]);
      assert.equal(writer.write(new SharedPackets(['2["yes"]'])), true);
    });
  }
});

test('nothing is written behind what the network has not taken, and that counts as queued', async () => {
  const { writer } = start();
  // More than any kernel's buffers, in a turn in which the client, in this process, cannot read.
  const large = new SharedPackets(Array.from({ length: 20 }, () => `2["${'x'.repeat(1_048_576)}"]`));
  assert.equal(writer.write(large), true);
  assert.ok(writer.socketBytes() > 1_048_576);
  assert.equal(writer.write(new SharedPackets(['2["no"]'])), false);
  await until(() => received.filter(({ length }) => length > 1_048_576).length === 20 && writer.socketBytes() === 0);
  assert.equal(writer.write(new SharedPackets(['2["last"]'])), true);
  await until(() => received.at(-1) === '42["last"]');
});

test('a kernel that takes nothing leaves it to the stream, behind what was written', async () => {
  const { writer } = start();
  const filler = messageFrames([`2["${'f'.repeat(1_000)}"]`]);
  const { fd } = (inside.transport.socket._socket as unknown as { _handle: { fd: number } })._handle;
  received.length = 0;
  let filled = 0;
  let rest = filler.subarray(0, 0);
  try {
    for (;;) {
      rest = filler;
      rest = rest.subarray(writeSync(fd, rest));
      if (rest.length > 0) break;
      filled++;
    }
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    rest = filler.subarray(0, 0);
  }
  // What a frame of the filler lacks goes first, so that the client understands what follows.
  const shared = new SharedPackets(['2["behind"]']);
  if (rest.length > 0) {
    Object.defineProperty(shared, 'framed', { value: () => Buffer.concat([rest, messageFrames(shared.packets)]) });
    filled++;
  }
  assert.equal(writer.write(shared), true);
  assert.ok(writer.socketBytes() > 0);
  await until(() => received.at(-1) === '42["behind"]');
  assert.equal(received.length, filled + 1);
});

test('a socket without a descriptor is written to by its stream', async () => {
  const handle = (inside.transport.socket._socket as unknown as { _handle: { fd?: number } })._handle;
  // Its own, before that of its class.
  Object.defineProperty(handle, 'fd', { value: undefined, configurable: true });
  try {
    assert.equal(start().writer.write(new SharedPackets(['2["streamed"]'])), true);
  } finally {
    delete handle.fd;
  }
  await until(() => received.at(-1) === '42["streamed"]');
});

test("nothing is written once the socket is gone: its descriptor may be another one's", async () => {
  const connected = once(io.engine, 'connection');
  const other = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  const [engine] = (await connected) as [Inside];
  await until(() => engine.transport.writable);
  const { path } = start();
  const writer = new DirectWriter(path, engine);
  assert.equal(writer.write(new SharedPackets(['2["here"]'])), true);
  engine.transport.socket._socket.destroy();
  // Engine.IO has not heard of it yet.
  assert.equal(writer.write(new SharedPackets(['2["gone"]'])), false);
  assert.equal(new DirectWriter(path, engine).write(new SharedPackets(['2["gone"]'])), false);
  assert.equal(path.state, 'on');
  await once(other, 'close');
  assert.equal(writer.write(new SharedPackets(['2["gone"]'])), false);
});

test('what is written keeps nobody alive: one who answers no heartbeat is closed as ever, one who answers stays', async () => {
  const server = createServer();
  const quick = new Server(server, { pingInterval: 100, pingTimeout: 1_000 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const openOne = async (answers: boolean) => {
    const connected = once(quick.engine, 'connection');
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    const seen = { pings: 0, entries: 0, closed: false };
    socket.addEventListener('message', ({ data }) => {
      if (data === '42["x"]') seen.entries++;
      if (data !== '2') return;
      seen.pings++;
      if (answers) socket.send('3');
    });
    socket.addEventListener('close', () => {
      seen.closed = true;
    });
    const [engine] = await connected;
    return { seen, writer: new DirectWriter(new FastPath({ enabled: true, engine: quick.engine, logger }), engine) };
  };
  const [alive, dead] = [await openOne(true), await openOne(false)];
  const shared = new SharedPackets(['2["x"]']);
  await until(() => {
    alive.writer.write(shared);
    dead.writer.write(shared);
    return dead.seen.closed && alive.seen.pings >= 3;
  });
  assert.equal(alive.seen.closed, false);
  assert.ok(dead.seen.entries > 0 && dead.seen.pings === 1);
  assert.equal(dead.writer.write(shared), false);
  quick.close();
});
