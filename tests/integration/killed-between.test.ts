/** A gateway dies after it stored a message and before it acknowledged it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTcpProxy, type TcpProxy } from '@maru/service-kit/testing';
import { roomLogKey } from '../../services/gateway/src/keys.ts';
import { onNode } from '../faults/store.ts';
import { connect } from '../support/client.ts';
import { startGateways, tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';

const ROOM = 'between';

test('a message of a gateway that is killed between storing and acknowledging is stored once, also after a retry elsewhere', async (t) => {
  let proxy: TcpProxy | undefined;
  const cluster = await startGateways({
    gateways: 2,
    async redisUrl({ port }) {
      proxy = await startTcpProxy({ host: '127.0.0.1', port });
      return `redis://127.0.0.1:${proxy.port}`;
    },
  });
  t.after(async () => {
    await cluster.stop();
    await proxy?.close();
  });
  assert(proxy !== undefined);
  const [doomed, other] = cluster.gateways;
  assert(doomed !== undefined && other !== undefined);

  const sender = await connect(doomed.url, { token: tokenOf('mina') });
  const reader = await connect(other.url, { token: tokenOf('jun') });
  for (const member of [sender, reader]) await member.ok('room:join', { room: ROOM });
  await sender.ok('message:send', { room: ROOM, clientMsgId: 'before', text: 'before' });
  await reader.until(ROOM, 1);

  // The append arrives at the store. Its answer never arrives at the gateway.
  proxy.mode = 'swallow';
  const unheard = sender.raw('message:send', { room: ROOM, clientMsgId: 'between', text: 'between' });
  const answered = unheard.then(
    (ack) => ack,
    () => 'cut' as const,
  );
  await onNode(cluster.redis.url, (redis) =>
    poll('the message to be stored', async () => (await redis.xlen(roomLogKey(ROOM))) === 2, { everyMs: 1 }),
  );
  await doomed.end('SIGKILL');
  assert.deepEqual(sender.payloads('ack message:send').length, 1, 'only the first was acknowledged');
  proxy.mode = 'pass';
  proxy.reset();

  const again = await connect(other.url, { token: tokenOf('mina') });
  await again.patient('room:join', { room: ROOM });
  const stored = await again.patient('message:send', { room: ROOM, clientMsgId: 'between', text: 'between' });
  assert.equal(stored.seq, 2);
  await again.ok('message:send', { room: ROOM, clientMsgId: 'after', text: 'after' });
  await reader.until(ROOM, 3);
  assert.deepEqual(
    reader.entries(ROOM).map(({ seq, clientMsgId }) => [seq, clientMsgId]),
    [
      [1, 'before'],
      [2, 'between'],
      [3, 'after'],
    ],
  );
  sender.close();
  await answered;
});
