import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { type ChatClient, createChatClient } from '../chat-client.ts';
import { memoryPlace } from '../testing/memory-place.ts';
import { createConversations } from './conversations.ts';
import { BOT, fakeRooms, until } from './testing/fake-rooms.ts';

const { cluster, start, newRoom } = await fakeRooms();
const clients: ChatClient[] = [];
after(() => {
  for (const client of clients) client.close();
});

const places = () => ({ storage: memoryPlace(), drafts: memoryPlace() });

/** Loads the user's page, as after a reload. */
function load({ storage, drafts }: ReturnType<typeof places>, name = 'mina') {
  const client = createChatClient({ url: cluster.url, getToken: () => name, storage });
  clients.push(client);
  return { client, conversations: createConversations({ client, drafts }) };
}

async function enter(page: ReturnType<typeof load>, room: string) {
  const conversation = page.conversations.open(room);
  page.client.connect();
  page.client.join(room);
  await until('the room is there', () => conversation.get().isReady);
  return conversation;
}

it('shows and sends acts that were waiting before a reload', async () => {
  const room = newRoom();
  cluster.post(room, BOT, 'one');
  const kept = places();
  const before = load(kept);
  const pinned = before.conversations.open(room).pin(1, true);
  before.client.close();
  before.conversations.close();
  assert.equal((await pinned).ok, false);
  const page = load(kept);
  assert.equal(page.client.pendingActs().length, 1);
  const conversation = await enter(page, room);
  await until('it is stored', () => cluster.log(room).length === 2);
  await until('it is shown', () => conversation.message(1)?.pinned === true);
  await until('it is confirmed', () => conversation.message(1)?.pending.length === 0);
  assert.deepEqual(page.client.pendingActs(), []);
});

it('turns a refused edit into a draft again', async () => {
  const room = newRoom();
  cluster.post(room, BOT, 'of another');
  const kept = places();
  const page = load(kept);
  const conversation = await enter(page, room);
  const outcome = await conversation.edit(1, 'not mine');
  assert.equal(outcome.ok, false);
  assert.equal(conversation.draft({ edit: 1 }), 'not mine');
});

it('makes an edit a draft again that could not be queued', async () => {
  const kept = places();
  const page = load(kept);
  const conversation = page.conversations.open(newRoom());
  conversation.setDraft({ edit: 1 }, 'new text');
  kept.storage.isFull = true;
  conversation.setDraft({ edit: 1 }, '');
  const outcome = await conversation.edit(1, 'new text');
  assert.deepEqual([outcome.ok, page.client.pendingActs().length], [false, 0]);
  assert.equal(conversation.draft({ edit: 1 }), 'new text');
});

it('keeps drafts while rooms are closed and opened, and over a reload', () => {
  const kept = places();
  const page = load(kept);
  const room = newRoom();
  const first = page.conversations.open(room);
  first.setDraft('room', 'half a th');
  first.close();
  assert.equal(page.conversations.open(room).draft('room'), 'half a th');
  page.conversations.close();
  const again = load(kept);
  assert.deepEqual([...again.conversations.drafts.get()], [room]);
  assert.equal(again.conversations.open(room).draft('room'), 'half a th');
});

it('forgets the draft of an edit if its message was deleted since', async () => {
  const room = newRoom();
  const { client } = start('mina');
  client.join(room);
  client.send(room, 'secret');
  await until('it is stored', () => cluster.log(room).length === 1);
  const kept = places();
  const before = load(kept);
  before.conversations.open(room).setDraft({ edit: 1 }, 'secret, edited');
  before.conversations.close();
  cluster.postAct(room, BOT, 'message.delete', { seq: 1 });
  const conversation = await enter(load(kept), room);
  await until('it is read', () => conversation.message(1)?.deleted?.by === 'bot');
  assert.equal(conversation.draft({ edit: 1 }), '');
});
