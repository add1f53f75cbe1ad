import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fakeError } from '@maru/testkit/server/answers';
import { BOT, fakeRooms, until } from './testing/fake-rooms.ts';
import type { Message } from './types.ts';

const { cluster, start, enter, newRoom } = await fakeRooms();
const texts = (messages: readonly Message[]) => messages.map(({ text }) => text);

it('shows changes by other users, live and after a gap', async () => {
  const room = newRoom();
  const first = cluster.post(room, BOT, 'one');
  cluster.post(room, BOT, 'two');
  const { conversation } = await enter('mina', room);
  cluster.postAct(room, BOT, 'message.edit', { seq: first.seq, text: 'uno' });
  cluster.postAct(room, BOT, 'message.react', { seq: first.seq, emoji: '👍', active: true });
  await until('the edit is there', () => conversation.message(first.seq)?.reactions.length === 1);
  assert.deepEqual(texts(conversation.get().messages), ['uno', 'two']);
  cluster.faults.resumeEntriesMax = 1;
  cluster.cutAll();
  cluster.post(room, BOT, 'reply', { thread: first.seq });
  cluster.postAct(room, BOT, 'message.delete', { seq: 2 });
  await until('the deletion is there', () => conversation.message(2)?.deleted?.by === 'bot');
  const now = conversation.message(first.seq);
  assert.deepEqual([now?.text, now?.replies?.n], ['uno', 1]);
  assert.deepEqual(now?.reactions, [{ emoji: '👍', count: 1, mine: false, users: ['bot'] }]);
  assert.deepEqual(texts(conversation.get().messages), ['uno', '', 'reply']);
});

it('shows an own act immediately, and undoes it with the reason if it is refused', async () => {
  const room = newRoom();
  const { seq } = cluster.post(room, BOT, 'of another');
  const { conversation } = await enter('mina', room);
  const reacted = conversation.react(seq, '👍', true);
  const edited = conversation.edit(seq, 'not mine');
  const shown = conversation.message(seq);
  assert.deepEqual([shown?.text, shown?.reactions[0]?.mine, shown?.pending], ['not mine', true, ['react', 'edit']]);
  const outcome = await reacted;
  assert.ok(outcome.ok);
  assert.deepEqual(await edited, {
    ok: false,
    error: { code: 'forbidden', message: 'forbidden', retryable: false },
  });
  await until('the reaction has arrived', () => conversation.message(seq)?.pending.length === 0);
  const now = conversation.message(seq);
  assert.deepEqual([now?.text, now?.reactions[0]?.count], ['of another', 1]);
});

it('keeps acts while the connection is lost, in the order of the messages', async () => {
  const room = newRoom();
  const { client, conversation } = await enter('mina', room);
  client.send(room, 'first');
  await until('it is stored', () => conversation.get().messages.length === 1);
  cluster.cutAll();
  const edited = conversation.edit(1, 'first, edited');
  client.send(room, 'second');
  const pinned = conversation.pin(1, true);
  assert.ok((await edited).ok && (await pinned).ok);
  assert.deepEqual(
    cluster.log(room).map(({ type }) => type),
    ['text', 'message.edit', 'text', 'message.pin'],
  );
  await until('all has arrived', () => conversation.get().outgoing.length === 0);
  assert.deepEqual(texts(conversation.get().messages), ['first, edited', 'second']);
});

it('reads older messages, a thread, and pins', async () => {
  const room = newRoom();
  for (let i = 1; i <= 120; i++) cluster.post(room, BOT, `m${i}`);
  for (let i = 1; i <= 3; i++) cluster.post(room, BOT, `r${i}`, { thread: 2 });
  cluster.postAct(room, BOT, 'message.pin', { seq: 3, active: true });
  const { conversation } = await enter('mina', room);
  assert.equal(conversation.get().messages[0]?.text, 'm75');
  assert.equal(conversation.get().hasOlder, true);
  conversation.loadOlder();
  await until('the page is there', () => conversation.get().messages[0]?.text === 'm25');
  const [thread, pins] = [conversation.thread(2), conversation.pins()];
  await until('the thread is there', () => thread.get().messages.length === 3 && thread.get().root !== null);
  await until('the pins are there', () => pins.get().isReady);
  assert.deepEqual([thread.get().root?.text, thread.get().root?.replies?.n], ['m2', 3]);
  assert.deepEqual(texts(pins.get().messages), ['m3']);
  thread.send('mine');
  await until('the reply is there', () => thread.get().messages.length === 4 && thread.get().outgoing.length === 0);
  assert.equal(thread.get().root?.replies?.n, 4);
  thread.close();
  pins.close();
  assert.equal(conversation.message(2), null);
});

it('keeps one request about the read position in flight, and the newest position wins', async () => {
  const room = newRoom();
  for (let i = 1; i <= 9; i++) cluster.post(room, BOT, `m${i}`);
  const { conversation } = await enter('mina', room);
  const asked: number[] = [];
  cluster.onRequest = (event, { seq }) => {
    if (event === 'room:read') asked.push(Number(seq));
  };
  assert.deepEqual([conversation.get().unread, conversation.get().unreadLine], [9, 1]);
  for (let seq = 1; seq <= 9; seq++) conversation.markRead(seq);
  assert.equal(conversation.get().unread, 0);
  await until('it is sent', () => asked.includes(9));
  assert.deepEqual(asked, [1, 9]);
  assert.equal(conversation.get().unreadLine, 1);
  conversation.moveLine();
  assert.equal(conversation.get().unreadLine, null);
});

it('learns the own position from another device, and the positions of others', async () => {
  const room = newRoom();
  for (let i = 1; i <= 3; i++) cluster.post(room, BOT, `m${i}`);
  const one = await enter('mina', room);
  const two = await enter('mina', room);
  const joon = await enter('joon', room);
  two.conversation.markRead(2);
  joon.conversation.markRead(3);
  await until('the position is there', () => one.conversation.get().read?.seq === 2);
  assert.equal(one.conversation.get().unread, 1);
  await until('the receipt is there', () => one.conversation.get().readers.get('joon') === 3);
});

it('starts in the middle if it is opened after the join', async () => {
  const room = newRoom();
  cluster.post(room, BOT, 'one');
  const { client, conversations } = start('mina');
  client.join(room);
  await until('the room is joined', () => client.position(room) !== null);
  const conversation = conversations.open(room);
  cluster.post(room, BOT, 'two');
  await until('both are there', () => conversation.get().messages.length === 2);
  assert.deepEqual(texts(conversation.get().messages), ['one', 'two']);
});

it('shows an own message continuously, also while the first messages are read', async () => {
  const room = newRoom();
  const { client, conversations } = start('mina');
  client.join(room);
  await until('the room is joined', () => client.position(room) !== null);
  const conversation = conversations.open(room);
  const { clientMsgId } = conversation.send('mine');
  const counts = new Set<number>();
  const shown = ({ clientMsgId: id }: { clientMsgId: string | null }) => id === clientMsgId;
  conversation.subscribe(() => {
    const { messages, outgoing } = conversation.get();
    counts.add(messages.filter(shown).length + outgoing.filter(shown).length);
  });
  await until('it is stored', () => conversation.get().messages.length === 1);
  assert.deepEqual([...counts], [1]);
});

it('forgets the text of a deleted message, also in a draft and in a waiting edit', async () => {
  const room = newRoom();
  const { client, conversation } = await enter('mina', room);
  client.send(room, 'secret');
  await until('it is stored', () => conversation.get().messages.length === 1);
  conversation.setDraft({ edit: 1 }, 'secret draft');
  cluster.cutAll();
  const edited = conversation.edit(1, 'secret edit');
  cluster.postAct(room, BOT, 'message.delete', { seq: 1 });
  const outcome = await edited;
  assert.deepEqual(!outcome.ok && outcome.error.code, 'not_found');
  await until('it is gone', () => conversation.message(1)?.deleted?.by === 'bot');
  assert.equal(conversation.draft({ edit: 1 }), '');
  assert.equal(conversation.message(1)?.text, '');
});

it('keeps the list of rooms up to date by inbox events and entries', async () => {
  const mina = start('mina');
  const { room } = await mina.conversations.openDirect('joon');
  await until('the list has it', () => mina.conversations.myRooms.room(room) !== null);
  const joon = start('joon');
  await until('he is connected', () => joon.client.user !== null);
  assert.deepEqual(await joon.conversations.openDirect('mina'), { room });
  joon.client.join(room);
  joon.client.send(room, 'hello');
  await until('the message is in the list', () => mina.conversations.myRooms.room(room)?.unread === 1);
  assert.equal(mina.conversations.myRooms.room(room)?.last?.text, 'hello');
  const conversation = mina.conversations.open(room);
  mina.client.join(room);
  await until('the position is known', () => conversation.get().read !== null);
  conversation.markRead(1);
  await until('the list knows', () => mina.conversations.myRooms.room(room)?.unread === 0);
});

it('marks all rooms of the list as read, and open rooms update', async () => {
  const rooms = [newRoom(), newRoom()];
  for (const room of rooms) for (let n = 0; n < 3; n++) cluster.post(room, BOT, 'x');
  const { conversations } = start('mina');
  const { myRooms } = conversations;
  const unread = () => rooms.map((room) => myRooms.room(room)?.unread);
  await until('all is unread', () => unread().join() === '3,3');
  const open = conversations.open(rooms[0] ?? '');
  await myRooms.markAllRead();
  assert.deepEqual(unread(), [0, 0]);
  await until('the open room knows', () => open.get().read?.seq === 3);
  const { conversations: again } = start('mina');
  await until('the list is read', () => again.myRooms.get().isReady);
  assert.equal(again.myRooms.room(rooms[1] ?? '')?.unread, 0, 'it lasts');
});

it('drops a discarded failed message', async () => {
  const room = newRoom();
  const { client, conversation } = await enter('mina', room);
  cluster.faults.refuseSends = { times: 1, error: fakeError('forbidden') };
  const { clientMsgId } = conversation.send('not wanted');
  await until('it failed', () => conversation.get().outgoing[0]?.state.kind === 'failed');
  client.discard(clientMsgId);
  assert.deepEqual(conversation.get().outgoing, []);
});
