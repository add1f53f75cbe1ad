import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { SocketConnection } from './connection.ts';
import { openWebSocketRig } from './testing/websocket-rig.ts';

for (const enabled of [true, false]) {
  test(`what the network has not taken counts as queued, with ${enabled ? 'our' : "the library's"} transport`, async () => {
    const rig = await openWebSocketRig({ enabled });
    after(rig.close);
    const { engine, client, socket } = await rig.open();
    client.pause();
    const wire = new SocketConnection({ conn: engine, id: 'x' } as never, rig.path);
    wire.greet();
    await poll('it to be writable', () => engine.transport.writable);
    wire.sendPacket('x'.repeat(16 * 1_048_576));
    assert.ok(wire.queuedBytes() > 1_048_576);
    assert.equal(wire.queuedBytes(), socket.writableLength);
    assert.deepEqual(rig.path.writes, enabled ? { direct: 2, queued: 0 } : { direct: 0, queued: 2 });
  });
}
