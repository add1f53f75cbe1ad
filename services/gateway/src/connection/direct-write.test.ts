import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '@maru/service-kit';
import { Server } from 'socket.io';
import { messageFrames, SharedPackets } from '../delivery/shared-packets.ts';
import { DirectWriter, FastPath } from './direct-write.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });

/** What a test reaches into to bring a connection into a state. */
interface Inside {
  upgrading: boolean;
  send(data: string): void;
  writeBuffer: unknown[];
  transport: {
    name: string;
    writable: boolean;
    socket: {
      extensions: string;
      _sender: { _state: number; _queue: unknown[] };
      _socket: NetSocket;
      emit(event: 'ping'): void;
    };
  };
}
interface SenderClass {
  new (socket: object, extensions: object): object;
  frame(data: Buffer, options: object): Buffer[];
}

/** Writes to a connection after which one looks whole again. */
const WRITES_WITHOUT_A_LOOK = 256;
/** A WebSocket frame that asks for a sign of life. */
const EMPTY_PING = Buffer.from([0x89, 0]);

const httpServer = createServer();
const io = new Server(httpServer);
let client: WebSocket;
let inside: Inside;
const received: string[] = [];

before(async () => {
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const connected = once(io.engine, 'connection');
  const { port } = httpServer.address() as AddressInfo;
  client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  client.addEventListener('message', ({ data }) => received.push(data));
  [inside] = await connected;
  // The handshake's own packet is on its way until then.
  await until(() => inside.transport.writable && received.length === 1);
});
after(() => {
  client.close();
  io.close();
});

async function until(condition: () => boolean): Promise<void> {
  for (const startedAt = Date.now(); !condition(); ) {
    assert.ok(Date.now() - startedAt < 5_000, 'it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const start = (options: { enabled?: boolean; engine?: unknown } = {}) => {
  const path = new FastPath({ enabled: true, engine: io.engine, logger, ...options });
  return { path, writer: new DirectWriter(path, inside) };
};
const senderClass = (): SenderClass =>
  (io.engine as unknown as { ws: { options: { WebSocket: { Sender: SenderClass } } } }).ws.options.WebSocket.Sender;

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

describe('a connection that was found idle', () => {
  const entry = new SharedPackets(['2["entry"]']);

  test('is not written to past a packet that Engine.IO was given since, by whomever', async () => {
    const { writer } = start();
    assert.equal(writer.write(entry), true);
    inside.send('2["queued"]');
    assert.equal(writer.write(entry), false);
    await until(() => inside.transport.writable);
    assert.equal(writer.write(entry), true);
  });

  test('is not written to past what ws answers by itself', () => {
    const { path, writer } = start();
    assert.equal(writer.write(entry), true);
    const { socket } = inside.transport;
    socket._socket.cork();
    try {
      socket._socket.write(EMPTY_PING);
      socket.emit('ping');
      assert.equal(writer.write(entry), false);
    } finally {
      socket._socket.uncork();
    }
    assert.equal(writer.write(entry), true);
    assert.equal(path.state, 'on');
  });

  test('is looked at whole from time to time: what was written without a sign ends the fast path', () => {
    const { path, writer } = start();
    assert.equal(writer.write(entry), true);
    inside.transport.writable = false;
    try {
      for (let writes = 1; writes < WRITES_WITHOUT_A_LOOK; writes++) assert.equal(writer.write(entry), true);
      assert.equal(writer.write(entry), false);
    } finally {
      inside.transport.writable = true;
    }
    assert.equal(path.state, 'unexpected');
  });
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
  const { port } = httpServer.address() as AddressInfo;
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

describe('where things are not as expected', () => {
  const expectUnused = (options: { enabled?: boolean; engine?: unknown }, state: string) => {
    const { path, writer } = start(options);
    assert.equal(writer.write(new SharedPackets(['2["no"]'])), false);
    assert.equal(path.state, state);
  };

  test('nothing is written when it is switched off', () => expectUnused({ enabled: false }, 'off'));

  test('nothing is written when Engine.IO has another WebSocket server', () =>
    expectUnused({ engine: { ws: {} } }, 'unexpected'));

  test('nothing is written when ws frames otherwise, or later', () => {
    const Sender = senderClass() as unknown as new (...args: unknown[]) => { send(...args: unknown[]): void };
    class Framing extends Sender {
      static frame = (data: Buffer) => [Buffer.from([0x82]), data];
    }
    class Late extends Sender {
      override send(...args: unknown[]): void {
        setImmediate(() => super.send(...args));
      }
    }
    for (const Changed of [Framing, Late]) {
      expectUnused({ engine: { ws: { options: { WebSocket: { Sender: Changed } } } } }, 'unexpected');
    }
  });

  test('a sender of ws that holds something back although there are no extensions ends it for all', () => {
    for (const change of [{ _state: 1 }, { _queue: [[]] }, { _firstFragment: false }]) {
      const { path, writer } = start();
      const { _sender: sender } = inside.transport.socket;
      const before = { ...sender };
      Object.assign(sender, change);
      try {
        assert.equal(writer.write(new SharedPackets(['2["no"]'])), false);
      } finally {
        Object.assign(sender, before);
      }
      assert.equal(path.state, 'unexpected');
    }
  });

  test('one connection of another kind ends it for all', () => {
    const { path, writer } = start();
    const { socket } = inside.transport;
    const { extensions } = socket;
    Object.defineProperty(socket, 'extensions', { value: 'permessage-deflate', configurable: true });
    try {
      assert.equal(writer.write(new SharedPackets(['2["no"]'])), false);
    } finally {
      Object.defineProperty(socket, 'extensions', { value: extensions, configurable: true });
    }
    assert.equal(path.state, 'unexpected');
    assert.equal(new DirectWriter(path, inside).write(new SharedPackets(['2["no"]'])), false);
  });
});
