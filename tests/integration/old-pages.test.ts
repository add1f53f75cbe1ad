/**
 * Old pages and changes of old messages over sockets and HTTP, with an archiver and two gateways.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Entry, HistoryData, MessagesData } from '@maru/protocol';
import { roomMetaKey } from '../../services/gateway/src/keys.ts';
import type { TestClient } from '../support/client.ts';
import { tokenOf } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type PersonalRig, startPersonalRig } from './personal-setup.ts';

/** Every 64th entry trims the entries that are archived by then. */
const COUNT = 130;

let rig: PersonalRig;
let author: TestClient;
let reader: TestClient;
const [authorId, readerId] = [`author-${newId()}`, `reader-${newId()}`];

before(async () => {
  rig = await startPersonalRig({ MARU_RETENTION_ENTRIES_MIN: '4', MARU_RETENTION_ENTRIES_MAX: '4' });
  author = await rig.enter(authorId);
  reader = await rig.enter(readerId, 1);
});
after(() => rig?.stop());

/** A room whose hot log has only the newest messages. */
async function oldRoom(): Promise<string> {
  const room = newRoom('old');
  await author.ok('room:create', { room });
  const send = async (from: number, to: number) => {
    for (let n = from; n <= to; n++) await author.ok('message:send', { room, clientMsgId: newId(), text: `m${n}` });
  };
  await send(1, 100);
  await rig.untilArchived();
  await send(101, COUNT);
  await poll('a trim', async () => Number(await rig.redis.hget(roomMetaKey(room), 'first')) > 50);
  return room;
}

const seqsOf = ({ messages }: { messages: Entry[] }) => messages.map(({ seq }) => seq);
const all = Array.from({ length: COUNT }, (_, index) => index + 1);

test('every read reaches back to the first entry', async () => {
  const room = await oldRoom();
  const joined = await reader.ok('room:join', { room, limit: 200 });
  assert.deepEqual([seqsOf(joined), joined.first], [all, 1]);
  const page = await reader.ok('history:read', { room, before: 6, limit: 3 });
  assert.deepEqual([seqsOf(page), page.first, page.hasMore], [[3, 4, 5], 1, true]);
  const found = await reader.ok('messages:read', { room, after: 0, limit: 200 });
  assert.deepEqual([seqsOf(found), found.hasMore, found.hasNewer], [all, false, false]);
  const at = found.messages[9]?.ts ?? 0;
  const around = await reader.ok('messages:read', { room, at, limit: 4 });
  const older = found.messages.filter(({ ts }) => ts < at).slice(-2);
  const newer = found.messages.filter(({ ts }) => ts >= at).slice(0, 4 - older.length);
  assert.deepEqual(around.messages, [...older, ...newer]);
  const get = async <T>(query: string) =>
    (
      await call<T & Record<string, unknown>>(rig.urlOf(1), `/rooms/${room}/messages?${query}`, {
        token: tokenOf(readerId),
      })
    ).body;
  assert.deepEqual(seqsOf(await get<HistoryData>('after=0&limit=200')), all);
  assert.deepEqual((await get<MessagesData>(`view=messages&at=${at}&limit=4`)).messages, around.messages);
  const state = await call<{ first: number }>(rig.urlOf(0), `/rooms/${room}`, { token: tokenOf(readerId) });
  assert.equal(state.body.first, 1);
});

test('a read position among old messages counts exactly what is above it', async () => {
  const room = await oldRoom();
  for (const seq of [1, 11, 12]) {
    const position = await reader.ok('room:read', { room, seq });
    assert.deepEqual(position, { seq, n: seq, unread: COUNT - seq, mentions: 0 });
  }
});

test('an old message is changed like a new one, and members get the changes live', async () => {
  const room = await oldRoom();
  await reader.ok('room:join', { room });
  const edit = { room, seq: 2, clientMsgId: newId(), text: `edited ${newId()}` };
  const { seq } = await author.ok('message:edit', edit);
  assert.deepEqual(await author.ok('message:edit', edit).then(({ duplicate }) => duplicate), true);
  await reader.ok('message:react', { room, seq: 2, clientMsgId: newId(), emoji: '👍', active: true });
  const reply = await reader.ok('message:send', { room, clientMsgId: newId(), text: 'reply', thread: 2 });
  await author.ok('message:pin', { room, seq: 2, clientMsgId: newId(), active: true });
  await reader.refused('forbidden', 'message:edit', { ...edit, clientMsgId: newId() });
  const read = async () => (await reader.ok('messages:read', { room, around: 2, limit: 1 })).messages[0];
  const { text, reactions, replies, pinned } = (await read()) ?? assert.fail('the message is gone');
  assert.equal(text, edit.text);
  assert.deepEqual([reactions?.[0]?.mine, replies?.seq, pinned], [true, reply.seq, true]);
  assert.deepEqual(seqsOf(await reader.ok('messages:read', { room, thread: 2 })), [reply.seq]);
  assert.deepEqual(seqsOf(await reader.ok('messages:read', { room, pinned: true })), [2]);
  const deletion = await author.ok('message:delete', { room, seq: 2, clientMsgId: newId() });
  assert.equal((await read())?.deleted?.by, authorId);
  const [entry] = (await reader.ok('history:read', { room, after: seq - 1, limit: 1 })).messages;
  assert.equal(entry?.erased, true);
  await poll('the deletion to arrive', () => reader.seqs(room).includes(deletion.seq));
  await rig.untilArchived();
  assert.deepEqual(await rig.placesWith([edit.text]), []);
});
