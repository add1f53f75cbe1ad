/** The fake is judged by a client that is not ours: else it and the codec could be wrong together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import { io } from 'socket.io-client';
import { startFakeChatServer } from './fake-chat-server.ts';

test('a plain socket.io-client chats with the fake server', async () => {
  const server = await startFakeChatServer('none');
  const guest = await fetch(`${server.url}/api/v1/guests`, { method: 'POST', body: '{"name":"a"}' });
  const { token } = (await guest.json()) as { token: string };
  const socket = io(server.url, { transports: ['websocket'], auth: { token }, reconnection: false });
  try {
    await new Promise((resolve) => socket.once('session', resolve));
    const joined = await socket.emitWithAck('room:join', { room: 'a' });
    assert.equal(joined.data.head, 0);
    const arrival = new Promise<Entry>((resolve) => socket.once('message', resolve));
    const text = 'x'.repeat(300);
    const sent = await socket.emitWithAck('message:send', { room: 'a', clientMsgId: '1', text });
    assert.equal(sent.data.seq, 1);
    assert.equal((await arrival).text, text);
    const history = await socket.emitWithAck('history:read', { room: 'a', after: 0, limit: 200 });
    assert.equal(history.data.messages.length, 1);
  } finally {
    socket.disconnect();
    await server.close();
  }
});
