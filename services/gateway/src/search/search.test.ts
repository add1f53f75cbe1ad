import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArchiveUnavailable } from '@maru/archive-db';
import { MaruError } from '@maru/protocol';
import { createSearch, type SearchOptions, searchWithoutArchive } from './search.ts';

const request = { query: 'hello', limit: 20 };
const notFound = new MaruError('not_found', 'there is no such room');

/** A fake archive without rows. The test decides when it answers. */
function startArchive() {
  const reads: Array<{ answer: () => void; fail: (error: Error) => void }> = [];
  const archive = {
    read: <T>(fn: (tx: never) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const tx = { query: async () => [] } as never;
        reads.push({ answer: () => void fn(tx).then(resolve, reject), fail: reject });
      }),
  };
  return { archive, reads };
}

const searchWith = (options: Pick<SearchOptions, 'archive'> & Partial<SearchOptions>) =>
  createSearch({
    searchesMax: 10,
    deadlineMs: 5_000,
    roomList: { read: async () => [] },
    checkFound: async () => 'hidden',
    mayRead: async () => {},
    now: () => performance.now(),
    ...options,
  });

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a user has a limited number of concurrent searches, which does not affect others', async () => {
  const { archive, reads } = startArchive();
  const search = searchWith({ archive });
  const running = [1, 2, 3, 4].map(() => search('mina', request));
  await assert.rejects(search('mina', request), { code: 'rate_limited', retryAfterMs: 1_000 });
  running.push(search('jun', request));
  await turn();
  for (const { answer } of reads) answer();
  for (const { data } of await Promise.all(running)) assert.deepEqual(data.decode(), { messages: [] });
  const again = search('mina', request);
  await turn();
  reads.at(-1)?.answer();
  await again;
});

test('searches of a node wait for each other until their deadline', async () => {
  const { archive, reads } = startArchive();
  const search = searchWith({ archive, searchesMax: 1, deadlineMs: 50 });
  const both = [search('mina', request), search('jun', request)];
  await Promise.all(both.map((one) => assert.rejects(one, { code: 'unavailable' })));
  assert.equal(reads.length, 1);
});

test('a failure of the archive gives unavailable, also while messages are checked', async () => {
  const { archive, reads } = startArchive();
  const failing = searchWith({ archive })('mina', request);
  await turn();
  reads[0]?.fail(new ArchiveUnavailable('timeout', 'PostgreSQL did not answer in time'));
  await assert.rejects(failing, { code: 'unavailable', retryAfterMs: 1_000 });
});

test('a room that the user may not read is refused, with or without an archive', async () => {
  const mayRead = () => Promise.reject(notFound);
  const { archive } = startArchive();
  for (const search of [searchWith({ archive, mayRead }), searchWithoutArchive({ mayRead })])
    await assert.rejects(search('mina', { ...request, room: 'p-secret' }), { code: 'not_found' });
  await assert.rejects(searchWithoutArchive({ mayRead })('mina', request), { code: 'unavailable' });
});
