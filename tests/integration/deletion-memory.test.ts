/** Once a deletion is acknowledged, no node sends the text from its memory. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decode, encode } from '@maru/testkit/codec/packets';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { about, range, say } from './conversations-setup.ts';

let site: Gateways;
const open: TestClient[] = [];

before(async () => {
  site = await startGateways({ gateways: 2, environment: WIDE_LIMITS });
});
after(async () => {
  for (const client of open) client.close();
  await site?.stop();
});

const node = (index: number) => site.gateways[index] as ServiceProcess;

async function enter(index: number, resume?: object): Promise<TestClient> {
  const options = { token: tokenOf(`user-${newId()}`), ...(resume === undefined ? {} : { resume }) };
  const client = await connect(node(index).url, options);
  open.push(client);
  return client;
}

/** A long-polling client that receives nothing while it does not poll. */
async function startPolling(url: string, auth: Record<string, unknown>) {
  const frames: string[] = [];
  const address = new URL('/socket.io/?EIO=4&transport=polling', url);
  const pollOnce = async () => {
    const answer = await fetch(address);
    assert.equal(answer.status, 200);
    frames.push(...(await answer.text()).split('\x1e'));
  };
  await pollOnce();
  const opened = decode(frames[0] ?? '');
  assert.ok(opened.type === 'open');
  address.searchParams.set('sid', opened.sid);
  const sent = await fetch(address, { method: 'POST', body: encode.connect(auth) });
  assert.equal(sent.status, 200);
  return { frames, pollOnce };
}

/** More than a connection's backlog may contain when the next room is delivered. */
const FILL_ENTRIES = 80;
/** As many rooms as are read concurrently, so the next one is delivered after one of them. */
const FILL_ROOMS = 8;

test('room packets that a resume holds are read again if a message was deleted since', async () => {
  const rooms = range(1, FILL_ROOMS).map(() => newRoom('fill'));
  const filled = await Promise.all(
    rooms.map(async (room) => {
      const client = await enter(1);
      const { epoch } = await client.ok('room:join', { room });
      await Promise.all(range(1, FILL_ENTRIES).map(() => say(client, room, '한'.repeat(4_000))));
      return [room, { epoch, seq: 0 }];
    }),
  );
  const room = newRoom('secret');
  const [author, reader] = [await enter(1), await enter(0)];
  const { epoch } = await author.ok('room:join', { room });
  await reader.ok('room:join', { room });
  const text = `secret-${newId()}`;
  const { seq } = await say(author, room, text);
  await say(author, room, 'another');
  await reader.until(room, 2);

  const resume = { ...Object.fromEntries(filled), [room]: { epoch, seq: 0 } };
  const held = await startPolling(node(0).url, { token: tokenOf(`slow-${newId()}`), resume });
  await poll('the backlog', async () => (await node(0).metric('maru_write_queue_bytes_max')) > 300_000);
  await author.ok('message:delete', about(room, seq));
  await reader.until(room, 3);
  const found = () => held.frames.filter((frame) => frame.includes(room) && frame.startsWith('42["message"'));
  while (found().length < 3) await held.pollOnce();
  const session = held.frames.find((frame) => frame.startsWith('42["session"')) ?? '';
  assert.equal(JSON.parse(session.slice(2))[1].rooms[room].head, 2, 'it was read before the deletion');
  assert.deepEqual(
    found().map((frame) => JSON.parse(frame.slice(2))[1].seq),
    [1, 2, 3],
  );
  assert.ok(!held.frames.some((frame) => frame.includes(text)));
});

test('clients that resume while messages are deleted get every entry, and no text that was deleted before', async () => {
  const room = newRoom('race');
  const authors = [await enter(0), await enter(1)] as const;
  const { epoch } = await authors[0].ok('room:join', { room });
  await authors[1].ok('room:join', { room });
  const texts = range(1, 60).map((index) => `race-${index}-${newId()}.`);
  for (const text of texts) await say(authors[0], room, text);
  await authors[1].until(room, texts.length);

  /** Texts whose deletion was acknowledged. */
  const gone: string[] = [];
  let over = false;
  let resumes = 0;
  const resumeAgainAndAgain = async (index: number) => {
    while (!over) {
      const before = gone.length;
      const client = await enter(index, { [room]: { epoch, seq: 0 } });
      const { head } = client.session.rooms[room] as { head: number };
      const entries = await client.until(room, head);
      assert.deepEqual(
        entries.slice(0, head).map(({ seq }) => seq),
        range(1, head),
      );
      // Texts whose deletion it also has, and texts that were deleted before it started.
      const deleted = head - texts.length;
      const json = JSON.stringify(client.received);
      for (const text of texts.slice(0, Math.max(before, deleted))) assert.ok(!json.includes(text), text);
      client.close();
      resumes++;
    }
  };
  const resuming = range(0, 5).map((count) => resumeAgainAndAgain(count % 2));
  try {
    for (const [index, text] of texts.entries()) {
      await authors[0].ok('message:delete', about(room, index + 1));
      gone.push(text);
    }
  } finally {
    over = true;
    await Promise.all(resuming);
  }
  assert.ok(resumes >= 12, `${resumes} resumes`);
  for (const author of authors) {
    await author.until(room, 2 * texts.length);
    assert.deepEqual(author.seqs(room), range(1, 2 * texts.length));
  }
});
