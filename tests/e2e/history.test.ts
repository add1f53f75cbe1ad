import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type TestClient } from '../support/client.ts';
import { sendMany } from '../support/sender.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const COUNT = 250;
const room = newRoom('history');
const empty = newRoom('empty');
let client: TestClient;
let epoch: string;

before(async () => {
  const { endpoint } = cluster;
  const writers = await Promise.all(
    Array.from({ length: 5 }, async () => connect(endpoint, { token: (await createGuest(endpoint)).token })),
  );
  await writers[0]?.ok('room:create', { room });
  await Promise.all(writers.map((writer, index) => sendMany(writer, room, COUNT / 5, `writer-${index}`)));
  for (const writer of writers) writer.close();
  client = await connect(endpoint, { token: (await createGuest(endpoint)).token });
  ({ epoch } = await client.ok('history:read', { room }));
});
after(() => client?.close());

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

describe('history:read', () => {
  const pages: Array<[name: string, query: Record<string, number>, from: number, to: number, hasMore: boolean]> = [
    ['nothing: the newest 50', {}, 201, 250, true],
    ['a limit', { limit: 3 }, 248, 250, true],
    ['the largest limit', { limit: 200 }, 51, 250, true],
    ['before', { before: 201 }, 151, 200, true],
    ['before, to the very beginning', { before: 11, limit: 10 }, 1, 10, false],
    ['before, with less than a page left', { before: 5, limit: 10 }, 1, 4, false],
    ['before the first', { before: 1 }, 1, 0, false],
    ['before 0', { before: 0 }, 1, 0, false],
    ['before far above the head', { before: 1_000_000, limit: 2 }, 249, 250, true],
    ['after 0', { after: 0 }, 1, 50, true],
    ['after', { after: 100, limit: 7 }, 101, 107, true],
    ['after, to the very end', { after: 240, limit: 10 }, 241, 250, false],
    ['after, with less than a page left', { after: 245, limit: 10 }, 246, 250, false],
    ['after the head', { after: 250 }, 1, 0, false],
    ['after far above the head', { after: 1_000_000 }, 1, 0, false],
  ];
  for (const [name, query, from, to, hasMore] of pages)
    test(`pages ${name}`, async () => {
      const data = await client.ok('history:read', { room, ...query });
      assert.deepEqual(
        data.messages.map(({ seq }) => seq),
        range(from, to),
      );
      assert.equal(data.hasMore, hasMore);
      assert.equal(data.first, 1);
      assert.equal(data.epoch, epoch);
      for (const entry of data.messages) assert.equal(entry.epoch, epoch);
    });

  test('works for the current epoch, and refuses another epoch as a conflict', async () => {
    const data = await client.ok('history:read', { room, after: 0, limit: 1, epoch });
    assert.equal(data.messages.length, 1);
    await client.refused('conflict', 'history:read', { room, after: 0, epoch: 'another' });
  });

  test('refuses before and after together, and limits out of range', async () => {
    await client.refused('invalid', 'history:read', { room, before: 5, after: 1 });
    for (const limit of [0, -1, 201, 1e9, 1.5, '10', null])
      await client.refused('invalid', 'history:read', { room, limit });
    for (const after of [-1, 0.5, '1', null, {}]) await client.refused('invalid', 'history:read', { room, after });
  });

  test('does not create a room that has no member yet', async () => {
    const ack = await client.request('history:read', { room: empty });
    if (ack.ok) {
      assert.deepEqual(ack.data.messages, []);
      assert.equal(ack.data.hasMore, false);
    } else assert.equal(ack.error.code, 'not_found');
    await client.ok('room:create', { room: empty });
  });
});

describe('room:join', () => {
  async function fresh(): Promise<TestClient> {
    const { endpoint } = cluster;
    return connect(endpoint, { token: (await createGuest(endpoint)).token });
  }

  test('returns the newest 50 entries without since, or limit entries', async () => {
    for (const [limit, from] of [
      [undefined, 201],
      [1, 250],
      [200, 51],
    ] as const) {
      const reader = await fresh();
      const data = await reader.ok('room:join', limit === undefined ? { room } : { room, limit });
      assert.deepEqual(
        data.messages.map(({ seq }) => seq),
        range(from, 250),
      );
      assert.deepEqual([data.head, data.first, data.epoch, data.role], [250, 1, epoch, 'member']);
      reader.close();
    }
  });

  test('refuses limits outside 1 to 200', async () => {
    for (const limit of [0, 201, -5, 2.5, '7', null, [], {}])
      await client.refused('invalid', 'room:join', { room, limit });
  });

  test('returns all entries after since when at most 1,000 are missing', async () => {
    for (const seq of [0, 1, 100, 249, 250]) {
      const reader = await fresh();
      const data = await reader.ok('room:join', { room, since: { epoch, seq } });
      assert.equal(data.recovered, true);
      assert.deepEqual(
        data.messages.map((entry) => entry.seq),
        range(seq + 1, 250),
      );
      reader.close();
    }
  });

  test('returns the newest entries and a reason when since is of another epoch or above the head', async () => {
    for (const since of [
      { epoch: 'another', seq: 3 },
      { epoch, seq: 251 },
    ]) {
      const reader = await fresh();
      const data = await reader.ok('room:join', { room, since, limit: 4 });
      assert(!data.recovered);
      assert.equal(data.reason, 'epoch');
      assert.deepEqual(
        data.messages.map((entry) => entry.seq),
        range(247, 250),
      );
      reader.close();
    }
  });

  test('refuses a since that is not a position', async () => {
    const bad = [
      null,
      5,
      'x',
      [],
      {},
      { epoch },
      { seq: 1 },
      { epoch, seq: -1 },
      { epoch, seq: '1' },
      { epoch: 7, seq: 1 },
    ];
    for (const since of bad) await client.refused('invalid', 'room:join', { room, since });
    await client.refused('invalid', 'room:join', { room, since: { epoch: 'e'.repeat(33), seq: 1 } });
  });
});
