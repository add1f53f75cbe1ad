/** Changes of own messages, against the fake server. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { Chat } from './chat.ts';

const mina = { id: 'mina', name: 'mina' };
let server: FakeServer;
const chats: Chat[] = [];
before(async () => {
  server = await startFakeServer();
});
afterEach(() => {
  for (const chat of chats.splice(0)) chat.close();
  server.onRequest = null;
});
after(() => server.close());

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`waited in vain until ${what}`);
    await sleep(5);
  }
}

async function enter(room: string): Promise<Chat> {
  const nothing = () => {};
  const options = { url: server.url, token: 'mina', history: 50, room };
  const chat = new Chat(options, { onChange: nothing, onEntries: nothing, onOutgoing: nothing, onEnded: nothing });
  chats.push(chat);
  chat.connect();
  await until('the room is read', () => chat.conversation.get().isReady && chat.client.user !== null);
  return chat;
}

const actsOf = (room: string) => server.log(room).filter(({ type }) => type.startsWith('message.'));

test('an edit changes the message that was chosen, although a newer one has arrived', async () => {
  const room = 'chat-1';
  server.post(room, mina, 'first');
  const chat = await enter(room);
  const chosen = chat.lastOwn() ?? assert.fail('no own message');
  server.post(room, mina, 'second');
  await until('the second arrives', () => chat.lastOwn()?.text === 'second');
  await chat.edit({ room, seq: chosen.seq }, 'changed');
  assert.deepEqual(
    actsOf(room).map(({ data }) => data),
    [{ seq: 1, text: 'changed' }],
  );
});

test('an edit that was begun in another room changes nothing', async () => {
  server.post('chat-2', mina, 'here');
  server.post('chat-3', mina, 'there');
  const chat = await enter('chat-2');
  chat.show('chat-3');
  await until('the room is read', () => chat.lastOwn() !== undefined);
  await chat.edit({ room: 'chat-2', seq: 1 }, 'changed');
  assert.deepEqual([actsOf('chat-2'), actsOf('chat-3')], [[], []]);
  assert.match(chat.view.notice, /another room/);
});

test('the last message is not changed while newer ones are not shown', async () => {
  const room = 'chat-4';
  for (let i = 1; i <= 300; i++) server.post(room, mina, `message ${i}`);
  const chat = await enter(room);
  chat.conversation.jumpTo(20);
  await until('old messages are shown', () => chat.conversation.get().hasNewer);
  await chat.editLast('changed');
  assert.match(chat.view.notice, /\/newest/);
  await chat.deleteLast();
  assert.deepEqual(actsOf(room), []);
  chat.conversation.jumpTo('newest');
  await until('the newest is shown', () => !chat.conversation.get().hasNewer);
  await chat.editLast('changed');
  assert.deepEqual(
    actsOf(room).map(({ data }) => data),
    [{ seq: 300, text: 'changed' }],
  );
});

test('the last message is not changed while a later one is being sent', async () => {
  const room = 'chat-5';
  server.post(room, mina, 'stored');
  const chat = await enter(room);
  chat.send('on its way');
  await chat.deleteLast();
  assert.match(chat.view.notice, /on its way/);
  assert.deepEqual(actsOf(room), []);
});
