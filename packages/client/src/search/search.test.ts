import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MaruError } from '@maru/protocol/errors';
import { BOT, fakeRooms, until } from '../conversation/testing/fake-rooms.ts';
import { createSearch } from './search.ts';
import { snippetParts } from './snippet.ts';
import type { SearchView } from './types.ts';

const { cluster, start, enter, newRoom } = await fakeRooms();

const texts = ({ hits }: SearchView) => hits.map(({ snippet }) => snippet.map(({ text }) => text).join(''));

async function signedIn() {
  const { client } = start('mina');
  await until('the session is there', () => client.user !== null);
  const search = createSearch({ client });
  const find = async (text: string) => {
    search.set({ text });
    await until('the hits are there', () => search.get().state.kind === 'ready');
  };
  return { client, search, find };
}

it('finds messages, newest first, and marks the words', async () => {
  const room = newRoom();
  for (const text of ['apple one', 'pear', 'two apples']) cluster.post(room, BOT, text);
  const { search, find } = await signedIn();
  await find('apple');
  assert.deepEqual(texts(search.get()), ['two apples', 'apple one']);
  assert.deepEqual(search.get().hits[0]?.snippet, [
    { text: 'two ', isMarked: false },
    { text: 'apple', isMarked: true },
    { text: 's', isMarked: false },
  ]);
  search.close();
});

it('sends the query after a pause in typing, and only the newest one', async () => {
  const { search } = await signedIn();
  const asked: unknown[] = [];
  cluster.onRequest = (event, { query }) => event === 'search' && asked.push(query);
  for (const text of ['k', 'ki', 'kiw', 'kiwi ']) search.set({ text });
  assert.equal(search.get().state.kind, 'searching');
  await until('it is answered', () => search.get().state.kind === 'ready');
  assert.deepEqual(asked, ['kiwi']);
  search.set({ text: '' });
  assert.deepEqual([search.get().state.kind, search.get().hits], ['idle', []]);
  search.close();
});

it('ignores the answer to an earlier query', async () => {
  const room = newRoom();
  cluster.post(room, BOT, 'melon and lemon');
  const { client, search } = await signedIn();
  const answers: Array<() => void> = [];
  const slow = { ...client, on: client.on, user: client.user, features: client.features } as typeof client;
  slow.search = async (request) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return client.search(request);
  };
  const late = createSearch({ client: slow });
  late.set({ text: 'melon', room });
  await until('the first is asked', () => answers.length === 1);
  late.set({ text: 'nothing', room: newRoom() });
  await until('the second is asked', () => answers.length === 2);
  answers[1]?.();
  await until('the second is answered', () => late.get().state.kind === 'ready');
  answers[0]?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(late.get().hits, []);
  late.close();
  search.close();
});

it('waits as long as the server asks, and sends the query again', async () => {
  const { client } = start('mina');
  const asked: number[] = [];
  const busy = { ...client, on: client.on, user: null, features: [] } as typeof client;
  busy.search = async () => {
    asked.push(performance.now());
    if (asked.length === 1) throw new MaruError('rate_limited', 'too many', { retryAfterMs: 60 });
    return { messages: [] };
  };
  const search = createSearch({ client: busy });
  search.set({ room: newRoom(), text: 'grape' });
  await until('it is answered', () => search.get().state.kind === 'ready');
  assert.equal(asked.length, 2);
  assert.ok((asked[1] ?? 0) - (asked[0] ?? 0) >= 59);
  search.close();
});

it('reads more hits by cursor, each once', async () => {
  const room = newRoom();
  for (let i = 1; i <= 45; i++) cluster.post(room, BOT, `cherry ${i}.`);
  const { search, find } = await signedIn();
  await find('cherry');
  for (const count of [40, 45]) {
    assert.equal(search.get().hasMore, true);
    search.more();
    search.more();
    await until('more are there', () => search.get().hits.length === count);
  }
  assert.equal(search.get().hasMore, false);
  assert.equal(new Set(search.get().hits.map(({ seq }) => seq)).size, 45);
  search.close();
});

it('narrows a search by room, author and time', async () => {
  const [one, two] = [newRoom(), newRoom()];
  cluster.post(one, BOT, 'plum', { ts: 1_000 });
  cluster.post(two, BOT, 'plum', { ts: 2_000 });
  cluster.post(two, { id: 'joon', name: 'Joon' }, 'plum', { ts: 3_000 });
  const { search, find } = await signedIn();
  await find('plum');
  const seen: number[] = [];
  for (const change of [{ room: two }, { from: 'bot' }, { room: undefined }, { before: 2_000 }]) {
    search.set(change);
    await until('it is answered', () => search.get().state.kind === 'ready');
    seen.push(search.get().hits.length);
  }
  assert.deepEqual(seen, [2, 1, 2, 1]);
  search.close();
});

it('drops a message when its deletion is delivered, and shows the text of an edit', async () => {
  const room = newRoom();
  for (const text of ['fig secret', 'fig old']) cluster.post(room, BOT, text);
  const { client } = await enter('mina', room);
  const search = createSearch({ client });
  search.set({ text: 'fig' });
  await until('both are there', () => search.get().hits.length === 2);
  cluster.postAct(room, BOT, 'message.delete', { seq: 1 });
  cluster.postAct(room, BOT, 'message.edit', { seq: 2, text: 'new' });
  await until('one is gone', () => search.get().hits.length === 1);
  await until('the other is edited', () => texts(search.get())[0] === 'new');
  search.close();
});

it('shows the error, and tries again on request and on a new connection', async () => {
  const room = newRoom();
  cluster.post(room, BOT, 'quince');
  const { search } = await signedIn();
  cluster.faults.archivedBelow = 1;
  const failed = () => search.get().state;
  search.set({ text: 'quince' });
  for (const again of [search.retry, () => cluster.cutAll()]) {
    cluster.faults.archivedBelow = 1;
    search.set({ room: newRoom() });
    search.set({ room });
    await until('it failed', () => failed().kind === 'failed');
    cluster.faults.archivedBelow = 0;
    again();
    await until('it is there', () => search.get().hits.length === 1);
  }
  search.close();
});

it('reports that a cluster without an archive cannot search', async () => {
  cluster.faults.features = [];
  const { search } = await signedIn();
  search.set({ text: 'anything' });
  assert.equal(search.get().state.kind, 'off');
  cluster.faults.features = ['archive'];
  search.close();
});

it('splits a snippet into pieces that together are the text, for any marks', () => {
  const marks = [
    [4, 6],
    [0, 2],
    [5, 99],
    [-3, 1],
    [7, 7],
  ] as const;
  const parts = snippetParts('<b>abcd</b>', marks);
  assert.equal(parts.map(({ text }) => text).join(''), '<b>abcd</b>');
  assert.deepEqual(
    parts.map(({ isMarked }) => isMarked),
    [true, true, false, true, true],
  );
});
