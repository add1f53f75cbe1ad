import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { PresenceDiff, PresenceSnapshot, TypingSignal } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, type Guest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const open: TestClient[] = [];
after(() => {
  for (const client of open) client.close();
});

async function guestClient(gateway: number, name: string, guest?: Guest): Promise<TestClient> {
  const { endpoint } = cluster;
  const { token } = guest ?? (await createGuest(endpoint, name));
  const client = await connect((await cluster.gateways())[gateway]?.address ?? endpoint, { token });
  open.push(client);
  return client;
}

describe('typing', () => {
  test('reaches the other members on every gateway, but neither the sender nor non-members', async () => {
    const room = newRoom();
    const [typist, near, far, outside] = await Promise.all([
      guestClient(0, 'Typist'),
      guestClient(0, 'Near'),
      guestClient(1, 'Far'),
      guestClient(1, 'Outside'),
    ]);
    for (const client of [typist, near, far]) await client.ok('room:join', { room });
    const { id, name } = typist.session.user;
    // A typing event may be lost, so repeat it until both members received it.
    for (const active of [true, false]) {
      const heard = (client: TestClient) =>
        client
          .payloads<TypingSignal>('typing')
          .some((signal) => signal.active === active && signal.user.id === id && signal.room === room);
      await poll(
        `both members to receive typing ${active}`,
        () => {
          typist.socket.emit('typing', { room, active }, () => {});
          return heard(near) && heard(far);
        },
        { everyMs: 250 },
      );
    }
    const [signal] = far.payloads<TypingSignal>('typing');
    assert.deepEqual(signal, { room, user: { id, name }, active: true });
    await near.ok('message:send', { room, clientMsgId: newId(), text: 'done' });
    await typist.until(room, 1);
    assert.deepEqual(typist.payloads('typing'), []);
    assert.deepEqual(outside.payloads('typing'), []);
  });
});

/** The users who are online: the snapshot with all later differences applied. */
function currentUsers(client: TestClient, room: string, snapshot: PresenceSnapshot): Map<string, string> {
  const users = new Map((snapshot.users ?? []).map(({ id, name }) => [id, name]));
  for (const diff of client.payloads<PresenceDiff>('presence')) {
    if (diff.room !== room) continue;
    for (const { id, name } of diff.joins) users.set(id, name);
    for (const { id } of diff.leaves) users.delete(id);
  }
  return users;
}

// The tests mostly wait for the leave grace. They share nothing, so they wait at the same time.
describe('presence', { concurrency: true }, () => {
  test('reports joins and leaves on any gateway as a snapshot and differences', async () => {
    const room = newRoom();
    const watcher = await guestClient(0, 'Watcher');
    await watcher.ok('room:join', { room });
    const snapshot = await watcher.ok('presence:watch', { room });
    const near = await guestClient(0, 'Near');
    const far = await guestClient(1, '먼 곳');
    for (const client of [near, far]) await client.ok('room:join', { room });
    const ids = [watcher, near, far].map((client) => client.session.user.id).sort();
    await poll('all three users to be online', () => {
      const users = currentUsers(watcher, room, snapshot);
      return ids.every((id) => users.has(id));
    });
    assert.equal(currentUsers(watcher, room, snapshot).get(far.session.user.id), '먼 곳');
    assert.equal(watcher.payloads<PresenceDiff>('presence').at(-1)?.count, 3);

    // A later watcher on the other gateway gets a full snapshot.
    const late = await guestClient(1, 'Late');
    await poll('a full snapshot', async () => {
      const data = await late.ok('presence:watch', { room });
      return (
        data.count === 3 &&
        JSON.stringify(data.users?.map(({ id }) => id).sort()) === JSON.stringify(ids) &&
        data.users?.every(({ status }) => status === 'online')
      );
    });

    // Presence reports a leave only after a grace of 5 to 10 s.
    far.close();
    await near.ok('room:leave', { room });
    await poll('both users to be offline', () => currentUsers(watcher, room, snapshot).size === 1, {
      timeoutMs: 25_000,
    });
    assert.deepEqual([...currentUsers(watcher, room, snapshot).keys()], [watcher.session.user.id]);
  });

  test('counts a user with several connections on several gateways once', async () => {
    const room = newRoom();
    const guest = await createGuest(cluster.endpoint, 'Twice');
    const clients = [
      await guestClient(0, 'Twice', guest),
      await guestClient(0, 'Twice', guest),
      await guestClient(1, 'Twice', guest),
    ] as const;
    for (const client of clients) await client.ok('room:join', { room });
    const watcher = await guestClient(1, 'Watcher');
    await poll('exactly one user', async () => {
      const { count, users } = await watcher.ok('presence:watch', { room });
      return count === 1 && users?.length === 1 && users[0]?.id === guest.user.id;
    });
    clients[0].close();
    clients[2].close();
    // Longer than the leave grace: a closed connection that counted as a leave would show.
    const until = Date.now() + 12_000;
    while (Date.now() < until) {
      const { count } = await watcher.patient('presence:watch', { room });
      assert.equal(count, 1, 'one open connection must keep the user online');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });

  test('shows a user’s status to watchers, and hides an invisible user', async () => {
    const room = newRoom();
    const [watcher, member] = [await guestClient(0, 'Watcher'), await guestClient(1, 'Member')];
    await member.ok('room:join', { room });
    assert.deepEqual(await member.ok('presence:set', { status: 'away', text: '점심' }), {});
    const { id } = member.session.user;
    await poll('the status away', async () => {
      const { users } = await watcher.ok('presence:watch', { room });
      const user = users?.find((one) => one.id === id);
      return user?.status === 'away' && user.text === '점심';
    });
    await member.ok('presence:set', { status: 'invisible' });
    await poll(
      'the invisible user to be hidden',
      async () => {
        const { users, count } = await watcher.patient('presence:watch', { room });
        return count === 0 && users?.length === 0;
      },
      { timeoutMs: 20_000, everyMs: 200 },
    );
  });
});
