/** Which part of a room its model shows. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BOT, fakeRooms, until } from './testing/fake-rooms.ts';

const { cluster, enter, newRoom } = await fakeRooms();

it('jumps to a message and back', async () => {
  const room = newRoom();
  for (let i = 1; i <= 200; i++) cluster.post(room, BOT, `m${i}`);
  const { conversation } = await enter('mina', room);
  conversation.jumpTo(30);
  assert.equal(conversation.get().jump.isLoading, true);
  await until('it is there', () => conversation.message(30) !== null);
  const { hasNewer, jump, place } = conversation.get();
  assert.deepEqual([hasNewer, jump.isLoading, place], [true, false, { seq: 30, isLine: false }]);
  cluster.post(room, BOT, 'live');
  conversation.loadNewer();
  await until('the page is there', () => conversation.get().messages.at(-1)?.text === 'm105');
  conversation.jumpTo('newest');
  await until('the end is there', () => conversation.get().messages.at(-1)?.text === 'live');
  assert.equal(conversation.get().hasNewer, false);
});

it('jumps to the first message since a time', async () => {
  const room = newRoom();
  const ts = Date.UTC(2025, 0, 1);
  for (let i = 1; i <= 200; i++) cluster.post(room, BOT, `m${i}`, { ts: ts + i * 3_600_000 });
  const { conversation } = await enter('mina', room);
  conversation.jumpTo({ at: Date.UTC(2025, 0, 3) });
  await until('it is there', () => conversation.get().place !== null);
  assert.deepEqual([conversation.get().place, conversation.message(48)?.text], [{ seq: 48, isLine: false }, 'm48']);
});

it('scrolls to the first message and back without keeping all messages', async () => {
  const room = newRoom();
  for (let i = 1; i <= 500; i++) cluster.post(room, BOT, `m${i}`);
  const { conversation } = await enter('mina', room);
  const most = { messages: 0 };
  const scroll = async (isThere: () => boolean, more: () => void) => {
    while (!isThere()) {
      const before = conversation.get();
      more();
      await until(
        'a page is there',
        () => conversation.get().messages !== before.messages && !conversation.get().isLoading,
      );
      most.messages = Math.max(most.messages, conversation.get().messages.length);
    }
  };
  await scroll(
    () => !conversation.get().hasOlder,
    () => {
      conversation.look(conversation.get().messages[0]?.seq ?? null, false);
      conversation.loadOlder();
    },
  );
  assert.equal(conversation.get().messages[0]?.text, 'm1');
  await scroll(
    () => !conversation.get().hasNewer,
    () => {
      conversation.look(conversation.get().messages.at(-1)?.seq ?? null, false);
      conversation.loadNewer();
    },
  );
  assert.equal(conversation.get().messages.at(-1)?.text, 'm500');
  assert.equal(most.messages, 400);
});

it('reports that older messages are unavailable, and reads them on a new request', async () => {
  const room = newRoom();
  for (let i = 1; i <= 120; i++) cluster.post(room, BOT, `m${i}`);
  const { conversation } = await enter('mina', room);
  cluster.faults.archivedBelow = 60;
  conversation.loadOlder();
  await until('it failed', () => conversation.get().error !== null);
  const { hasOlder, isLoading, error } = conversation.get();
  assert.deepEqual([hasOlder, isLoading, error?.code], [true, false, 'unavailable']);
  conversation.jumpTo(10);
  await until('the jump failed', () => conversation.get().jump.error !== null);
  assert.deepEqual([conversation.get().jump.isLoading, conversation.get().messages.at(-1)?.text], [false, 'm120']);
  cluster.faults.archivedBelow = 0;
  conversation.loadOlder();
  await until('the page is there', () => conversation.get().error === null && conversation.message(21) !== null);
  conversation.jumpTo(10);
  await until('the jump succeeds', () => conversation.get().place?.seq === 10);
  assert.equal(conversation.get().jump.error, null);
});

it('reports that a message does not exist, and keeps the shown part', async () => {
  const room = newRoom();
  for (let i = 1; i <= 120; i++) cluster.post(room, BOT, `m${i}`);
  cluster.postAct(room, BOT, 'message.pin', { seq: 1, active: true });
  const { conversation } = await enter('mina', room);
  for (const seq of [121, 9_999]) {
    const before = conversation.get().messages;
    conversation.jumpTo(seq);
    await until('the jump failed', () => conversation.get().jump.error !== null);
    const { messages, place, jump } = conversation.get();
    assert.deepEqual([messages, place, jump.error?.code], [before, null, 'not_found']);
  }
});

it('shows where the unread messages begin, also above the shown part', async () => {
  const room = newRoom();
  for (let i = 1; i <= 10; i++) cluster.post(room, BOT, `m${i}`);
  const first = await enter('mina', room);
  first.conversation.markRead(10);
  await until('it is read', () => first.conversation.get().unread === 0);
  first.client.leave(room);
  for (let i = 11; i <= 300; i++) cluster.post(room, BOT, `m${i}`);
  const { conversation } = await enter('mina', room);
  const { unread, unreadLine, isLineAbove, sinceLine } = conversation.get();
  assert.deepEqual([unread, unreadLine, isLineAbove, sinceLine], [290, null, true, 290]);
  conversation.jumpTo('unread');
  await until('the line is there', () => conversation.get().place !== null);
  const there = conversation.get();
  assert.deepEqual([there.place, there.unreadLine, there.isLineAbove], [{ seq: 11, isLine: true }, 11, false]);
  conversation.jumpTo('unread');
  assert.notEqual(conversation.get().place, there.place, 'no read is needed');
});
