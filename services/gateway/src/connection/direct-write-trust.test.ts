/** When a connection is trusted to be idle, and when nothing is. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { SharedPackets } from '../delivery/shared-packets.ts';
import { DirectWriter, WHOLE_LOOK_EVERY } from './direct-write.ts';
import { EMPTY_PING, openDirectRig, until } from './testing/direct-rig.ts';

const { inside, start, senderClass, close } = await openDirectRig();
after(close);

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
      for (let writes = 1; writes < WHOLE_LOOK_EVERY; writes++) assert.equal(writer.write(entry), true);
      assert.equal(writer.write(entry), false);
    } finally {
      inside.transport.writable = true;
    }
    assert.equal(path.state, 'unexpected');
  });
});

test('a client that brings its connection into another state ends nothing for the others', () => {
  const entry = new SharedPackets(['2["entry"]']);
  const { path, writer } = start();
  for (let writes = 0; writes < WHOLE_LOOK_EVERY; writes++) assert.equal(writer.write(entry), true);
  inside.upgrading = true;
  try {
    assert.equal(writer.write(entry), false);
  } finally {
    inside.upgrading = false;
  }
  assert.equal(path.state, 'on');
  assert.equal(writer.write(entry), true);
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
