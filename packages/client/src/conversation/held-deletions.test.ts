import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createFakeScheduler } from '../testing/fake-scheduler.ts';
import { HeldDeletions } from './held-deletions.ts';
import { BOT, fakeRooms, until } from './testing/fake-rooms.ts';
import type { ActOutcome } from './types.ts';

const { cluster, enter, newRoom } = await fakeRooms();
const STORED: ActOutcome = { ok: true, seq: 2, duplicate: false };

function setUp() {
  const shown = new Set<number>();
  const sent: number[] = [];
  const { scheduler, pass, timers } = createFakeScheduler();
  const acts = {
    show: (seq: number) => void shown.add(seq),
    hide: (seq: number) => void shown.delete(seq),
    act: async ({ seq }: { seq: number }) => {
      sent.push(seq);
      return STORED;
    },
  };
  return { held: new HeldDeletions(acts, scheduler), shown, sent, pass, timers };
}

it('sends a deletion after its delay', async () => {
  const { held, shown, sent, pass, timers } = setUp();
  const outcome = held.hold(7, 5_000);
  assert.deepEqual([...shown], [7]);
  pass(4_999);
  assert.deepEqual(sent, []);
  pass(1);
  assert.deepEqual([sent, [...shown], timers()], [[7], [], 0]);
  assert.deepEqual(await outcome, STORED);
});

it('does not send undone deletions, and sends all others when it is closed', async () => {
  const { held, shown, sent, pass } = setUp();
  const undone = held.hold(7, 5_000);
  void held.hold(8, 5_000);
  void held.hold(9, 5_000);
  held.undo(7);
  assert.equal(await undone, 'undone');
  assert.deepEqual([...shown], [8, 9]);
  held.close();
  assert.deepEqual([sent, [...shown]], [[8, 9], []]);
  pass(5_000);
  assert.deepEqual(sent, [8, 9]);
});

it('shows the message as deleted until it is undone, and sends the rest when the room closes', async () => {
  const room = newRoom();
  const { conversation, client } = await enter('mina', room);
  client.send(room, 'one');
  client.send(room, 'two');
  await until('both are stored', () => conversation.get().messages.length === 2);
  const outcomes = [conversation.deleteLater(1, 60_000), conversation.deleteLater(2, 60_000)];
  const now = () => conversation.get().messages.map(({ text, canUndo }) => [text, canUndo]);
  assert.deepEqual(now(), [
    ['', true],
    ['', true],
  ]);
  conversation.undoDelete(1);
  assert.deepEqual(now(), [
    ['one', false],
    ['', true],
  ]);
  assert.equal(await outcomes[0], 'undone');
  assert.equal(cluster.log(room).length, 2);
  conversation.close();
  await until('it is stored', () => cluster.log(room).length === 3);
  assert.deepEqual(cluster.log(room)[2]?.data, { seq: 2 });
});

it('shows a message again if its deletion is refused', async () => {
  const room = newRoom();
  cluster.post(room, BOT, 'of another');
  const { conversation } = await enter('mina', room);
  const outcome = conversation.deleteLater(1, 60_000);
  assert.equal(conversation.message(1)?.canUndo, true);
  conversation.sendHeld();
  assert.deepEqual([conversation.message(1)?.text, conversation.message(1)?.canUndo], ['', false]);
  const now = await outcome;
  assert.ok(now !== 'undone' && !now.ok && now.error.code === 'forbidden');
  assert.equal(conversation.message(1)?.text, 'of another');
});
