import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InboxEvent } from '@maru/protocol';
import { createNotify, previewOf } from './notify.ts';

const mina = { id: 'mina', name: 'Mina' };
const sent = { epoch: '1.a', seq: 7, ts: 5, n: 4, duplicate: false };
const send = { type: 'send', text: 'hello', thread: undefined, mentions: undefined } as const;
const event = { room: 'tea', seq: 7, ts: 5, n: 4, from: mina, text: 'hello' };

function rig(members: readonly string[] | Error = ['mina', 'jun', 'sora']) {
  const told: Array<[users: readonly string[], event: InboxEvent]> = [];
  const asked: string[] = [];
  const lost: unknown[] = [];
  const notify = createNotify({
    inbox: { tell: (users, event) => void told.push([users, event]) },
    membersOf: async (room) => {
      asked.push(room);
      if (members instanceof Error) throw members;
      return members;
    },
    onLost: (error) => void lost.push(error),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { told, asked, lost, notify, settled };
}

test('a message in a direct room notifies both users, one in another room notifies no user', async () => {
  const { told, asked, notify, settled } = rig(['mina', 'jun']);
  for (const room of ['tea', 'p-tea', 'd-tea']) notify.ofMessage(mina, room, 'hello', sent);
  notify.ofChange(mina, 'd-tea', { ...send, thread: 2 }, sent, []);
  await settled();
  assert.deepEqual(told, Array(2).fill([['mina', 'jun'], { type: 'message', ...event, room: 'd-tea' }]));
  assert.deepEqual(asked, ['d-tea', 'd-tea']);
});

test('a mention notifies the mentioned users, and @room all other members', async () => {
  const { told, asked, notify, settled } = rig();
  notify.ofChange(mina, 'tea', send, sent, ['jun']);
  assert.deepEqual(told, [[['jun'], { type: 'mention', ...event }]]);
  assert.deepEqual(asked, []);
  notify.ofChange(mina, 'tea', send, sent, ['@room']);
  await settled();
  assert.deepEqual(told[1], [['jun', 'sora'], { type: 'mention', ...event }]);
});

test('a mention in an edit names the edited message, and an edit is never a new message', async () => {
  const { told, notify, settled } = rig(['mina', 'jun']);
  notify.ofChange(mina, 'd-tea', { type: 'edit', seq: 3, text: 'hello', mentions: ['jun'] }, sent, ['jun']);
  await settled();
  assert.deepEqual(told, [[['jun'], { type: 'mention', ...event, room: 'd-tea', seq: 3 }]]);
});

test('no event is sent without a recipient, or if the members cannot be read', async () => {
  const none = rig([]);
  none.notify.ofChange(mina, 'tea', send, sent, []);
  none.notify.ofChange(mina, 'tea', send, sent, ['@room']);
  await none.settled();
  assert.deepEqual(none.told, []);
  const failing = rig(new Error('down'));
  failing.notify.ofMessage(mina, 'd-tea', 'hello', sent);
  await failing.settled();
  assert.deepEqual([failing.told, failing.lost.length], [[], 1]);
});

test('a preview is the first 200 code points', () => {
  assert.equal(previewOf('x'.repeat(200)), 'x'.repeat(200));
  assert.equal(previewOf('x'.repeat(201)), 'x'.repeat(200));
  assert.equal(previewOf('😀'.repeat(150)), '😀'.repeat(150));
  assert.equal(previewOf(`${'😀'.repeat(200)}x`), '😀'.repeat(200));
});
