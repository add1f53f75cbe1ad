import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { SocketConnection } from './connection.ts';
import { openWebSocketRig } from './testing/websocket-rig.ts';

for (const enabled of [true, false]) {
  test(`bytes that the network has not taken count as queued, with ${enabled ? 'our' : "the library's"} transport`, async () => {
    const rig = await openWebSocketRig({ enabled });
    after(rig.close);
    const { engine, client, socket } = await rig.open();
    client.pause();
    const connection = new SocketConnection({ conn: engine, id: 'x' } as never, rig.path.writes);
    connection.greet();
    await poll('it to be writable', () => engine.transport.writable);
    connection.send('x'.repeat(16 * 1_048_576));
    assert.ok(connection.queuedBytes() > 1_048_576);
    assert.equal(connection.queuedBytes(), socket.writableLength);
    assert.deepEqual(rig.path.writes, enabled ? { direct: 2, queued: 0 } : { direct: 0, queued: 2 });
  });
}
