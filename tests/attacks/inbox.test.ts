/** Inbox events and a user's room list can be neither forged nor read by others. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { InboxEvent } from '@maru/protocol';
import { userInboxChannel } from '../../services/gateway/src/keys.ts';
import { connect, type TestClient } from '../support/client.ts';
import { tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type Site, startSite, urlOf, WAYS, type Way } from './site.ts';

let site: Site;
const open: TestClient[] = [];
before(async () => {
  site = await startSite({ environment: WIDE_LIMITS });
});
after(async () => {
  for (const client of open) client.close();
  await site?.stop();
});

async function enter(way: Way, user = `user-${newId()}`): Promise<TestClient> {
  const client = await connect(urlOf(site, way), { token: tokenOf(user) });
  open.push(client);
  return client;
}

test('forged inbox events reach no client, and are counted', async () => {
  const client = await enter('around nginx');
  const channel = userInboxChannel(client.session.user.id);
  const event = { type: 'removed', room: 'tea', reason: 'kicked' };
  const forged = [
    '',
    '1',
    '1 ',
    '2 {}',
    JSON.stringify(event),
    '1 null',
    '1 []',
    '1 {',
    `1 ${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    `1 ${JSON.stringify({ ...event, type: '__proto__' })}`,
    `1 ${JSON.stringify({ ...event, type: 'toString' })}`,
    `1 ${JSON.stringify({ ...event, type: 'message' })}`,
    `1 ${JSON.stringify({ ...event, room: 7 })}`,
    `1 ${JSON.stringify({ ...event, reason: null })}`,
    `1 ${JSON.stringify({ type: 'read', room: 'tea', seq: '1', n: 1, unread: 0, mentions: 0 })}`,
    `1 ${JSON.stringify({ type: 'invite', room: 'tea', title: 'Tea', from: null })}`,
  ];
  const counted = () => site.gateway.metric('maru_inbox_events_total', 'malformed');
  await poll('the subscription', async () => (await site.admin.spublish(channel, 'x')) === 1);
  const before = await poll('the probe to be counted', counted);
  for (const payload of forged) assert.equal(await site.admin.spublish(channel, payload), 1);
  await poll('all to be counted', async () => (await counted()) === before + forged.length);
  assert.deepEqual(client.payloads('inbox'), []);
  await site.assertUnharmed();
});

for (const way of WAYS) {
  test(`inbox events reach only the affected users, ${way}`, async () => {
    const [author, mentioned, other] = [await enter(way), await enter(way), await enter(way)];
    const room = newRoom('inbox');
    await author.ok('room:create', { room });
    for (const client of [author, mentioned, other]) await client.ok('room:join', { room });
    const { id } = mentioned.session.user;
    const text = `secret ${newId()}`;
    const { room: direct } = await author.ok('room:create', { visibility: 'direct', user: id });
    await author.ok('message:send', { room, clientMsgId: newId(), text: 'hi', mentions: [id] });
    await author.ok('message:send', { room: direct, clientMsgId: newId(), text });
    await mentioned.ok('room:read', { room, seq: 1 });
    for (const type of ['mention', 'message', 'read'])
      await mentioned.event<InboxEvent>('inbox', (event) => event.type === type);
    assert.deepEqual(other.payloads('inbox'), []);
    assert.doesNotMatch(JSON.stringify(other.received), new RegExp(text));
  });

  test(`a mention reveals nothing about a private room to a user outside it, ${way}`, async () => {
    const [author, stranger] = [await enter(way), await enter(way)];
    const { room } = await author.ok('room:create', { visibility: 'private', title: 'hidden' });
    const mentions = [stranger.session.user.id];
    await author.ok('message:send', { room, clientMsgId: newId(), text: 'about you', mentions });
    await author.ok('room:ban', { room, user: stranger.session.user.id });
    const { rooms } = await stranger.ok('rooms:mine', {});
    assert.deepEqual([rooms, stranger.payloads('inbox'), stranger.payloads('room:event')], [[], [], []]);
  });

  test(`cursors of rooms:mine reveal no room of another user, ${way}`, async () => {
    const [owner, stranger] = [await enter(way), await enter(way)];
    const { room } = await owner.ok('room:create', { visibility: 'private' });
    for (const cursor of ['a', room, room.slice(0, -1), '0', '\n', '*', '}:list', '__proto__', '\u{10ffff}']) {
      const ack = await stranger.request('rooms:mine', { cursor, limit: 200 });
      assert(ack.ok ? ack.data.rooms.length === 0 : ack.error.code === 'invalid', JSON.stringify({ cursor, ack }));
    }
  });
}
