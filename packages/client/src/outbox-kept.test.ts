import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createChatClient } from './chat-client.ts';
import { fakeRooms, until } from './conversation/testing/fake-rooms.ts';
import { memoryPlace } from './testing/memory-place.ts';

const { cluster, newRoom } = await fakeRooms();

it('keeps its outbox across a reload if the host provides storage', async () => {
  const room = newRoom();
  const storage = memoryPlace();
  const first = createChatClient({ url: cluster.url, getToken: () => 'mina', storage });
  first.send(room, 'one');
  first.send(room, 'two');
  first.close();
  const client = createChatClient({ url: cluster.url, getToken: () => 'mina', storage });
  client.connect();
  await until('both are there', () => cluster.log(room).length === 2);
  assert.deepEqual(
    cluster.log(room).map(({ text }) => text),
    ['one', 'two'],
  );
  await until('none waits', () => storage.value === '{"v":1,"items":[]}');
  client.close();
});

it('refuses a message that the device cannot store', () => {
  const storage = memoryPlace();
  const client = createChatClient({ url: cluster.url, getToken: () => 'mina', storage });
  storage.isFull = true;
  assert.throws(() => client.send('lobby', 'x'), { code: 'unavailable' });
  assert.deepEqual(client.pending(), []);
  client.close();
});

it('sends the messages that an ended client left once, after its own messages', async () => {
  const room = newRoom();
  const ended = memoryPlace();
  const first = createChatClient({ url: cluster.url, getToken: () => 'mina', storage: ended });
  first.send(room, 'left');
  first.close();
  const storage = memoryPlace();
  const client = createChatClient({ url: cluster.url, getToken: () => 'mina', storage });
  client.send(room, 'own');
  client.connect();
  assert.equal(storage.leave(ended.value ?? ''), true);
  assert.equal(storage.leave(ended.value ?? ''), true, 'it is here already');
  await until('both are there', () => cluster.log(room).length === 2);
  assert.deepEqual(
    cluster.log(room).map(({ text }) => text),
    ['own', 'left'],
  );
  client.close();
});

it('leaves messages that do not fit in their place', () => {
  const ended = memoryPlace();
  const first = createChatClient({ url: cluster.url, getToken: () => 'mina', storage: ended });
  first.send('lobby', 'left');
  first.close();
  const storage = memoryPlace();
  const client = createChatClient({ url: cluster.url, getToken: () => 'mina', storage });
  for (let i = 0; i < 200; i++) client.send('lobby', 'x');
  assert.equal(storage.leave(ended.value ?? ''), false);
  assert.equal(client.pending().length, 200);
  client.close();
});
