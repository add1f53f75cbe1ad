import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RoomLog } from '../log/room-log.ts';
import { type LogRig, message, publicRoom, startLogRig } from '../log/testing/log-rig.ts';
import { createReadHistory } from './history.ts';

const LIMIT = 20;

let rig: LogRig;
/** A log that counts its reads. */
let log: RoomLog;
let reads = 0;

before(async () => {
  rig = await startLogRig();
  const stored = await rig.node();
  log = {
    append: stored.append,
    act: stored.act,
    change: stored.change,
    readMessages: stored.readMessages,
    read(...asked) {
      reads++;
      return stored.read(...asked);
    },
  };
});

after(() => rig.stop());

test('concurrent requests for the same page make two reads, and another page its own', async () => {
  const room = await publicRoom(log);
  for (let count = 0; count < 5; count++) await log.append(message(room, `id-${count}`));
  const history = createReadHistory({ log });
  reads = 0;
  const newest = Array.from({ length: 40 }, (_, index) => history(`user-${index}`, { room, limit: 3 }));
  const older = history('mina', { room, before: 3, limit: 3 });
  for (const page of await Promise.all(newest)) {
    const data = page.data.decode();
    assert.deepEqual(
      data.messages.map(({ seq }) => seq),
      [3, 4, 5],
    );
    assert.equal(data.hasMore, true);
  }
  assert.deepEqual(
    (await older).data.decode().messages.map(({ seq }) => seq),
    [1, 2],
  );
  assert.equal(reads, 3);
});

test('a page with reactions is read for each user, because it contains the own reactions', async () => {
  const room = await publicRoom(log);
  await log.append(message(room, 'id-1'));
  const change = { type: 'react', seq: 1, emoji: '👍', active: true } as const;
  await log.change({ ...message(room, 'id-2'), change, isAdmin: false });
  const history = createReadHistory({ log });
  const answers = await Promise.all(['mina', 'jun', 'mina'].map((user) => history(user, { room, limit: LIMIT })));
  assert.deepEqual(
    answers.map(({ data }) => data.decode().messages[0]?.reactions?.map(({ mine }) => mine)),
    [[true], [false], [true]],
  );
});

test('readers of a private room are checked one by one', async () => {
  const history = createReadHistory({ log });
  reads = 0;
  const asked = ['mina', 'jun', 'sora'].map((user) => history(user, { room: 'p-secret', limit: 3 }));
  for (const answer of asked) await assert.rejects(answer, /no such room/);
  assert.equal(reads, 3);
});

test('a reader that knows about a stored message gets it, even during reads of others', async () => {
  const room = await publicRoom(log);
  const history = createReadHistory({ log });
  const newest = async () => (await history('jun', { room, limit: LIMIT })).data.decode().messages.at(-1)?.seq ?? 0;
  let over = false;
  const others = Array.from({ length: 8 }, async () => {
    while (!over) await newest();
  });
  try {
    for (let count = 0; count < 300; count++) {
      const stored = await log.append(message(room, `id-${count}`));
      assert.ok(stored.outcome === 'stored');
      const seen = await newest();
      assert.ok(seen >= stored.seq, `${stored.seq} is stored, and the history ended at ${seen}`);
    }
  } finally {
    over = true;
    await Promise.all(others);
  }
});
