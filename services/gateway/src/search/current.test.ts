import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { FoundEntry } from '@maru/archive-db';
import { parseQuery } from '@maru/search-text';
import type { CheckedRoom } from '../log/found-check.ts';
import type { LateChange } from '../log/hot-log.ts';
import { createCurrent } from './current.ts';

const parsed = parseQuery('hello') ?? assert.fail();
const late: LateChange[] = [
  { seq: 9, ts: 1, n: 1, author: 'mina', isMessage: false, head: '"type":"message.pin"', tail: '"data":{"seq":3}' },
];
const checked: CheckedRoom = { epoch: '1.a', first: 8, cleared: 0, entries: [], late };
const found = Array.from({ length: 50 }, (_, index) => {
  const place = { room: `room-${index}`, epoch: '1.a', position: 8, seq: 3, ts: 1, n: 1, author: 'mina' };
  return {
    ...place,
    isMessage: true,
    head: '"type":"text"',
    tail: '"text":"hello"',
    mine: [],
  } as unknown as FoundEntry;
});

/** Counts reads at the same time. */
function startArchive() {
  const counts = { now: 0, most: 0, all: 0 };
  const archive = {
    async read<T>(): Promise<T> {
      counts.all += 1;
      counts.now += 1;
      counts.most = Math.max(counts.most, counts.now);
      await turn();
      counts.now -= 1;
      return [] as T;
    },
  };
  return { archive, counts };
}

test('a search uses one connection to the archive, however many rooms have late changes', async () => {
  const { archive, counts } = startArchive();
  const current = createCurrent({ archive, checkFound: async () => checked, leftMs: () => 1_000 });
  await current('jun', parsed, found);
  assert.deepEqual(counts, { now: 0, most: 1, all: 50 });
});

test('a result with a hidden room is searched anew, so the archive is not read for it', async () => {
  const { archive, counts } = startArchive();
  const checkFound = async (_: string, { room }: { room: string }) => (room === 'room-7' ? 'hidden' : checked);
  const result = await createCurrent({ archive, checkFound, leftMs: () => 1_000 })('jun', parsed, found);
  assert.deepEqual(result, { messages: [], hidden: ['room-7'] });
  assert.equal(counts.all, 0);
});
