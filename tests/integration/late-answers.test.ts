/** A retry gets the same answer as the first request. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf } from '../support/gateways.ts';
import { newId, newRoom } from '../support/tokens.ts';

let cluster: Gateways;
let url: string;
let author: TestClient;

before(async () => {
  cluster = await startGateways();
  [{ url }] = cluster.gateways as [ServiceProcess];
  author = await connect(url, { token: tokenOf('author') });
});
after(async () => {
  author?.close();
  await cluster?.stop();
});

async function fill(room: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await author.ok('message:send', { room, clientMsgId: newId(), text: `text ${n}` });
}

test('a second join of a connection gets the answer of a first join, and live entries continue after its head', async () => {
  const room = newRoom();
  await author.ok('room:create', { room });
  await fill(room, 10);
  const member = await connect(url, { token: tokenOf('member') });
  const first = await member.ok('room:join', { room });
  for (let round = 0; round < 5; round++) {
    const sends = fill(room, 5);
    const again = await member.ok('room:join', { room, limit: 200 });
    await sends;
    assert.deepEqual(
      again.messages.map(({ seq }) => seq),
      Array.from({ length: again.head }, (_, index) => index + 1),
    );
    const answer = member.received.findLastIndex(({ name }) => name === 'ack room:join');
    const { head } = await author.ok('room:join', { room, limit: 1 });
    await member.until(room, 1);
    await member.event<{ room: string; seq: number }>('message', (entry) => entry.room === room && entry.seq === head);
    const live = member.received.slice(answer).filter(({ name }) => name === 'message');
    assert.deepEqual(
      live.map(({ payload }) => (payload as { seq: number }).seq),
      Array.from({ length: head - again.head }, (_, index) => again.head + 1 + index),
    );
  }
  assert.equal(first.head, 10);
  member.close();
});

test('a second join with a position gets the answer of a first join with it', async () => {
  const room = newRoom();
  await author.ok('room:create', { room });
  await fill(room, 5);
  const member = await connect(url, { token: tokenOf('member') });
  const { epoch } = await member.ok('room:join', { room });
  for (let count = 0; count < 2; count++) {
    const again = await member.ok('room:join', { room, since: { epoch, seq: 2 } });
    assert.equal(again.recovered, true);
    assert.deepEqual(
      again.messages.map(({ seq }) => seq),
      [3, 4, 5],
    );
  }
  member.close();
});

test('creating a room again is a retry for its creator, and a conflict for other users or with another title', async () => {
  const room = newRoom();
  const created = await author.ok('room:create', { room, title: 'Tea' });
  assert.deepEqual(await author.ok('room:create', { room, title: 'Tea' }), created);
  await author.refused('conflict', 'room:create', { room, title: 'Coffee' });
  const other = await connect(url, { token: tokenOf('other') });
  await other.refused('conflict', 'room:create', { room, title: 'Tea' });
  other.close();
});
