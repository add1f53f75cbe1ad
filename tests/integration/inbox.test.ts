/** Inbox events reach every connection of a user on every node, joined to the room or not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { InboxEvent } from '@maru/protocol';
import type { TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type ModerationRig, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;

before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

const inboxOf = (client: TestClient, room: string) =>
  client.payloads<InboxEvent>('inbox').filter((event) => event.room === room);

/** A user with a connection on each node. */
async function everywhere(id: string): Promise<TestClient[]> {
  return Promise.all([rig.clientOf(id, 0), rig.clientOf(id, 1)]);
}

/** Waits until both nodes have subscribed to the user's channel. A first invitation may be lost. */
async function heard(clients: TestClient[], owner: TestClient, id: string): Promise<void> {
  await poll('the channels of a user', async () => {
    const { room } = await owner.ok('room:create', { visibility: 'private' });
    await owner.ok('room:invite', { room, user: id });
    for (let waits = 0; waits < 20; waits++) {
      if (clients.every((client) => inboxOf(client, room).length > 0)) return true;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return false;
  });
}

test('a new private room is announced on all connections of its creator, a public one is not', async () => {
  const [ownerId, otherId] = [`owner-${newId()}`, `other-${newId()}`];
  const devices = await everywhere(ownerId);
  const other = await rig.clientOf(otherId);
  await heard(devices, other, ownerId);
  const [first] = devices as [TestClient];
  const shared = newRoom('public');
  await first.ok('room:create', { room: shared });
  const { room } = await first.ok('room:create', { visibility: 'private', title: 'Tea' });
  const created = [{ type: 'invite', room, title: 'Tea', from: { id: ownerId, name: ownerId } }];
  await poll('the event', () => devices.every((device) => inboxOf(device, room).length > 0));
  for (const device of devices) {
    assert.deepEqual(inboxOf(device, room), created);
    assert.deepEqual(inboxOf(device, shared), []);
  }
  assert.deepEqual(inboxOf(other, room), []);
});

test('a direct room reaches all connections of both users when it is made, and only then', async () => {
  const [minaId, junId] = [`mina-${newId()}`, `jun-${newId()}`];
  const [minas, juns] = [await everywhere(minaId), await everywhere(junId)];
  const devices = [...minas, ...juns];
  const other = await rig.clientOf(`other-${newId()}`);
  await heard(minas, other, minaId);
  await heard(juns, other, junId);
  const open = (client: TestClient | undefined, user: string) =>
    client?.ok('room:create', { visibility: 'direct', user }) as Promise<{ room: string }>;
  const answers = await Promise.all([open(minas[0], junId), open(minas[0], junId), open(minas[1], junId)]);
  const room = answers[0]?.room ?? '';
  await poll('the event', () => devices.every((device) => inboxOf(device, room).length > 0));
  await open(juns[0], minaId);
  await heard(minas, other, minaId);
  await heard(juns, other, junId);
  const made = [{ type: 'invite', room, title: '', from: { id: minaId, name: minaId } }];
  for (const device of devices) assert.deepEqual(inboxOf(device, room), made);
});

test('a membership that begins or ends reaches all connections of the user, and no other user', async () => {
  const [ownerId, memberId] = [`owner-${newId()}`, `member-${newId()}`];
  const owner = await rig.clientOf(ownerId);
  const other = await rig.clientOf(`other-${newId()}`, 1);
  const devices = await everywhere(memberId);
  await heard(devices, owner, memberId);
  const { room } = await owner.ok('room:create', { visibility: 'private', title: 'Tea' });
  await owner.ok('room:invite', { room, user: memberId });
  const invited = { type: 'invite', room, title: 'Tea', from: { id: ownerId, name: ownerId } };
  const told = (...events: object[]) =>
    poll(`${events.length} events`, () =>
      devices.every((device) => inboxOf(device, room).length >= events.length),
    ).then(() => {
      for (const device of devices) assert.deepEqual(inboxOf(device, room), events);
    });
  await told(invited);
  await owner.ok('room:kick', { room, user: memberId });
  await told(invited, { type: 'removed', room, reason: 'kicked' });
  await owner.ok('room:invite', { room, user: memberId });
  await devices[0]?.ok('room:quit', { room, clientMsgId: newId() });
  const left = { type: 'removed', room, reason: 'left' };
  await told(invited, { type: 'removed', room, reason: 'kicked' }, invited, left);
  await owner.ok('room:invite', { room, user: memberId });
  await owner.ok('room:delete', { room });
  const deleted = { type: 'removed', room, reason: 'deleted' };
  await told(invited, { type: 'removed', room, reason: 'kicked' }, invited, left, invited, deleted);
  assert.deepEqual(inboxOf(other, room), []);
});
