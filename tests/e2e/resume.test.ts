import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ErrorBody, ResumedRoom } from '@maru/protocol';
import { connect, Refused, type TestClient } from '../support/client.ts';
import { sendMany } from '../support/sender.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const room = newRoom('resume');
const HEAD = 1_050;
const open: TestClient[] = [];
let epoch: string;

async function open1(gateway: number | undefined, options: { token?: string; resume?: unknown } = {}) {
  const { endpoint } = cluster;
  const address = gateway === undefined ? endpoint : (await cluster.gateways())[gateway]?.address;
  const token = options.token ?? (await createGuest(endpoint)).token;
  const client = await connect(address ?? endpoint, { token, resume: options.resume });
  open.push(client);
  return client;
}

before(async () => {
  const writers = await Promise.all(Array.from({ length: 10 }, (_, index) => open1(index % 2)));
  await writers[0]?.ok('room:create', { room });
  await Promise.all(writers.map((writer, index) => sendMany(writer, room, HEAD / 10, `writer-${index}`)));
  for (const writer of writers) writer.close();
  const reader = await open1(undefined);
  ({ epoch } = await reader.ok('history:read', { room }));
});
after(() => {
  for (const client of open) client.close();
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const resumed = (client: TestClient, name = room): ResumedRoom | undefined => client.session.rooms[name];

/**
 * Sends one more message, and asserts that the client receives only this one after `seqsBefore`.
 */
async function assertLive(client: TestClient, seqsBefore: number[], name = room) {
  const { seq } = await client.ok('message:send', { room: name, clientMsgId: newId(), text: 'live' });
  await client.until(name, seqsBefore.length + 1);
  assert.deepEqual(client.seqs(name), [...seqsBefore, seq]);
}

describe('auth.resume', () => {
  test('on another gateway delivers exactly the missed entries, in order, after the session', async () => {
    const name = newRoom();
    const { token } = await createGuest(cluster.endpoint);
    const first = await open1(0, { token });
    const other = await open1(1);
    await first.ok('room:join', { room: name });
    for (let index = 0; index < 5; index++)
      await other.ok('message:send', { room: name, clientMsgId: newId(), text: `seen ${index}` });
    await first.until(name, 5);
    const resume = first.positions();
    first.cut();
    for (let index = 0; index < 7; index++)
      await other.ok('message:send', { room: name, clientMsgId: newId(), text: `missed ${index}` });
    const second = await open1(1, { token, resume });
    assert.deepEqual(second.session.rooms, {
      [name]: { recovered: true, epoch: resume[name]?.epoch, head: 12, n: 12, first: 1 },
    });
    await second.until(name, 7);
    assert.deepEqual(second.seqs(name), range(6, 12));
    assert.equal(second.received[0]?.name, 'session');
    assert.equal(second.entries(name)[0]?.text, 'missed 0');
    await assertLive(second, range(6, 12), name);
  });

  test('without missed entries delivers nothing, and live delivery continues', async () => {
    const name = newRoom();
    const writer = await open1(1);
    const { epoch: its } = await writer.ok('room:join', { room: name });
    for (const text of ['one', 'two', 'three'])
      await writer.ok('message:send', { room: name, clientMsgId: newId(), text });
    const client = await open1(0, { resume: { [name]: { epoch: its, seq: 3 } } });
    assert.deepEqual(resumed(client, name), { recovered: true, epoch: its, head: 3, n: 3, first: 1 });
    await assertLive(client, [], name);
    await writer.ok('message:send', { room: name, clientMsgId: newId(), text: 'from elsewhere' });
    await client.until(name, 2);
    assert.deepEqual(client.seqs(name), [4, 5]);
  });

  test('delivers 1,000 missed entries', async () => {
    const client = await open1(1, { resume: { [room]: { epoch, seq: HEAD - 1_000 } } });
    assert.deepEqual(resumed(client), { recovered: true, epoch, head: HEAD, n: HEAD, first: 1 });
    await client.until(room, 1_000);
    assert.deepEqual(client.seqs(room), range(HEAD - 999, HEAD));
  });

  test('answers too_far for 1,001 missed entries, and delivers live entries from head + 1', async () => {
    const client = await open1(0, { resume: { [room]: { epoch, seq: HEAD - 1_001 } } });
    assert.deepEqual(resumed(client), { recovered: false, reason: 'too_far', epoch, head: HEAD, n: HEAD, first: 1 });
    await assertLive(client, []);
  });

  test('answers too_far when the missed entries exceed 1 MiB', async () => {
    const name = newRoom('large');
    const writer = await open1(0);
    const { epoch: its } = await writer.ok('room:join', { room: name });
    const text = '한'.repeat(4_000);
    for (let index = 0; index < 95; index++)
      await writer.patient('message:send', { room: name, clientMsgId: newId(), text });
    const far = await open1(1, { resume: { [name]: { epoch: its, seq: 0 } } });
    assert.deepEqual(resumed(far, name), {
      recovered: false,
      reason: 'too_far',
      epoch: its,
      head: 95,
      n: 95,
      first: 1,
    });
    const near = await open1(1, { resume: { [name]: { epoch: its, seq: 30 } } });
    assert.deepEqual(resumed(near, name), { recovered: true, epoch: its, head: 95, n: 95, first: 1 });
    await near.until(name, 65);
    assert.deepEqual(near.seqs(name), range(31, 95));
    assert.deepEqual(far.seqs(name), []);
  });
});

describe('the answer to auth.resume', () => {
  test('is epoch for a position of another epoch or above the head', async () => {
    for (const position of [
      { epoch: 'another', seq: 3 },
      { epoch, seq: 1_000_000 },
    ]) {
      const client = await open1(1, { resume: { [room]: position } });
      const answer = resumed(client);
      assert(answer !== undefined && 'recovered' in answer && !answer.recovered);
      assert.equal(answer.reason, 'epoch');
      assert.equal(answer.epoch, epoch);
      await assertLive(client, []);
    }
  });

  test('is separate for each room, and not_found for both an absent room and a private room of others', async () => {
    const owner = await open1(0);
    const { room: hidden } = await owner.ok('room:create', { visibility: 'private' });
    const absent = `p-${'0'.repeat(hidden.length - 2)}`;
    const seq = HEAD;
    const client = await open1(1, {
      resume: { [room]: { epoch, seq }, [hidden]: { epoch, seq: 0 }, [absent]: { epoch, seq: 0 } },
    });
    const errorOf = (name: string): ErrorBody | undefined => {
      const answer = resumed(client, name);
      return answer !== undefined && 'error' in answer ? answer.error : undefined;
    };
    assert.equal(errorOf(hidden)?.code, 'not_found');
    assert.deepEqual(errorOf(hidden), errorOf(absent));
    const good = resumed(client);
    assert(good !== undefined && 'recovered' in good && good.recovered);
  });

  test('is a recovery for a member of a private room on another gateway', async () => {
    const { token } = await createGuest(cluster.endpoint);
    const owner = await open1(0, { token });
    const { room: own } = await owner.ok('room:create', { visibility: 'private', title: 'ours' });
    await owner.ok('room:join', { room: own });
    await owner.ok('message:send', { room: own, clientMsgId: newId(), text: 'one' });
    await owner.until(own, 1);
    const resume = owner.positions();
    await owner.ok('message:send', { room: own, clientMsgId: newId(), text: 'two' });
    owner.close();
    const back = await open1(1, { token, resume });
    await back.until(own, 1);
    assert.deepEqual(back.seqs(own), [2]);
  });

  test('is a session, not a refused connection, when positions are invalid', async () => {
    const names = ['', '*', 'a{b}', 'ROOM', `${'r'.repeat(65)}`, '__proto__', 'constructor'];
    const bad: unknown[] = [
      null,
      5,
      'text',
      [],
      [{ epoch, seq: 1 }],
      { [room]: null },
      { [room]: { epoch } },
      { [room]: { epoch, seq: -1 } },
      { [room]: { epoch: {}, seq: 1 } },
      JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:{"epoch":"e","seq":1}`).join(',')}}`),
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${room}-${index}`, { epoch, seq: 1 }])),
    ];
    for (const resume of bad) {
      try {
        const client = await open1(0, { resume });
        await client.ok('history:read', { room, limit: 1 });
        for (const answer of Object.values(client.session.rooms))
          if ('recovered' in answer) assert.equal(answer.recovered, false);
      } catch (error) {
        assert(!(error instanceof Refused), `refused for ${JSON.stringify(resume)?.slice(0, 100)}`);
        throw error;
      }
    }
  });
});
