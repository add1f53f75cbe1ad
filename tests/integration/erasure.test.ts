/**
 * Once a deletion is acknowledged, no key of the store and no answer of a node contains the text.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import type { TestClient } from '../support/client.ts';
import { sleep } from '../support/poll.ts';
import { newId } from '../support/tokens.ts';
import { type ErasureRig, erasable, KINDS, type Scene, startErasureRig } from './erasure-setup.ts';

let rig: ErasureRig;
before(async () => {
  rig = await startErasureRig();
});
after(() => rig?.stop());

const holds = (value: unknown, texts: readonly string[]): boolean => {
  const json = JSON.stringify(value);
  return texts.some((text) => json.includes(text));
};

async function assertErased({ texts }: Scene, when: string): Promise<void> {
  assert.deepEqual(await rig.search(texts), [], when);
}

for (const kind of KINDS)
  describe(`a deleted message of a ${kind} room`, () => {
    let scene: Scene;
    let deletion: { seq: number };
    before(async () => {
      scene = await rig.stage(kind);
      const { author, room, seq, texts } = scene;
      assert.notDeepEqual(await rig.search(texts.slice(0, 1)), [], 'the search finds a text that is stored');
      assert.notDeepEqual(await rig.search(texts.slice(2)), [], 'the search finds an edit that is stored');
      assert(holds(await rig.everything(scene, scene.readerId, 1), texts.slice(2)), 'reads show the newest text');
      deletion = await author.ok('message:delete', { room, seq, clientMsgId: newId() });
    });

    test('is in no key of the store', () => assertErased(scene, 'after the acknowledgement'));

    for (const node of [0, 1])
      test(`is in no answer of node ${node + 1}, and in no resume there`, async () => {
        for (const user of [scene.authorId, scene.readerId]) {
          const got = await rig.everything(scene, user, node);
          for (const one of got) assert(!holds(one, scene.texts), JSON.stringify(one));
        }
      });

    test('keeps its place in the log, erased, and so do its edits', async () => {
      const { room, seq, epoch, readerId } = scene;
      for (const node of [0, 1]) {
        const client = await rig.enter(readerId, node, { [room]: { epoch, seq: 0 } });
        const entries = await client.until(room, deletion.seq);
        assert.deepEqual(
          entries.map((entry) => entry.seq),
          Array.from({ length: deletion.seq }, (_, index) => index + 1),
        );
        const found = erasable(entries, seq);
        assert.equal(found.length, 3);
        for (const entry of found) assert.deepEqual([entry.erased, entry.text], [true, undefined]);
        client.close();
      }
    });

    test('reads as deleted, without reactions and pin', async () => {
      const { reader, room, seq, authorId } = scene;
      const { messages } = await reader.ok('messages:read', { room, around: seq, limit: 1 });
      const [message] = messages;
      assert.deepEqual([message?.seq, message?.text, message?.erased, message?.deleted?.by], [seq, '', true, authorId]);
      assert.deepEqual(
        [message?.reactions, message?.pinned, message?.edited, message?.mentions],
        Array(4).fill(undefined),
      );
      assert.deepEqual((await reader.ok('messages:read', { room, pinned: true })).messages, []);
    });

    test('counts no mention', async () => {
      const { reader, room } = scene;
      assert.equal((await reader.ok('room:read', { room, seq: 1 })).mentions, 0);
    });

    test('stays erased when its send and its edits are retried, on both nodes', async () => {
      for (const node of [0, 1]) {
        const client = await rig.enter(scene.authorId, node);
        for (const { event, payload } of scene.stored) {
          const ack = await client.raw(event, payload);
          if (event === 'message:send')
            assert.deepEqual([ack.ok && ack.data.duplicate, ack.ok && ack.data.seq], [true, scene.seq]);
          else assert(ack.ok ? ack.data.duplicate === true : ack.error.code === 'not_found', JSON.stringify(ack));
          assert(!holds(ack, scene.texts));
        }
        await assertErased(scene, `after retries on node ${node + 1}`);
        client.close();
      }
    });

    test('cannot be changed, and the text of a refused change is stored nowhere', async () => {
      const { author, reader, room, seq } = scene;
      const text = `late-${newId()}`;
      const about = { room, seq, clientMsgId: newId() };
      for (const client of [author, reader]) {
        await client.refused('not_found', 'message:edit', { ...about, text });
        await client.refused('not_found', 'message:react', { ...about, emoji: '👍', active: true });
        await client.refused('not_found', 'message:send', { room, clientMsgId: newId(), text, thread: seq });
      }
      await author.refused('not_found', 'message:pin', { ...about, active: true });
      assert.deepEqual(await rig.search([text]), []);
      const again = await author.ok('message:delete', { room, seq, clientMsgId: newId() });
      assert.equal(again.duplicate, true);
    });
  });

test('a deleted newest message is not the last message in any list', async () => {
  for (const kind of KINDS) {
    const { author, reader, room, texts } = await rig.stage(kind);
    const text = `newest-${texts[0]}`;
    const { seq } = await author.ok('message:send', { room, clientMsgId: newId(), text });
    for (const client of [author, reader]) await client.ok('room:follow', { room, active: true });
    assert(holds(await reader.ok('rooms:mine', {}), [text]), kind);
    await author.ok('message:delete', { room, seq, clientMsgId: newId() });
    for (const client of [author, reader]) assert(!holds(await client.ok('rooms:mine', {}), [text]), kind);
    assert.deepEqual(await rig.search([text]), [], kind);
  }
});

test('each of many concurrent deletions erases its text, and no other text is lost', async () => {
  const { author, reader, room } = await rig.stage('public');
  const mark = newId();
  const texts = Array.from({ length: 120 }, (_, index) => `m${index}-${mark}.`);
  const sent = await Promise.all(texts.map((text) => author.ok('message:send', { room, clientMsgId: newId(), text })));
  const gone = sent.filter((_, index) => index % 3 !== 0);
  await Promise.all(gone.map(({ seq }) => author.ok('message:delete', { room, seq, clientMsgId: newId() })));
  assert.deepEqual(await rig.search(texts.filter((_, index) => index % 3 !== 0)), []);
  const { messages } = await reader.ok('messages:read', { room, limit: 200 });
  const left = messages.flatMap(({ text }) => (text?.includes(mark) ? [text] : []));
  assert.deepEqual(
    left,
    texts.filter((_, index) => index % 3 === 0),
  );
});

test('resumes during a deletion end without the text, and later ones never contain it', async () => {
  const { author, room, epoch, seq, readerId, texts } = await rig.stage('public');
  let deletedAt = 0;
  let deletion = 0;
  const resumes: Array<{ startedAt: number; client: TestClient }> = [];
  const resume = async (index: number) => {
    const startedAt = performance.now();
    const client = await rig.enter(readerId, index % 2, { [room]: { epoch, seq: index % seq } });
    resumes.push({ startedAt, client });
  };
  for (let wave = 0; wave < 6; wave++) {
    const started = Array.from({ length: 3 }, (_, index) => resume(3 * wave + index));
    if (wave === 2) {
      const { seq: stored } = await author.ok('message:delete', { room, seq, clientMsgId: newId() });
      [deletedAt, deletion] = [performance.now(), stored];
    }
    await Promise.all(started);
  }
  for (const { startedAt, client } of resumes) {
    await client.event<Entry>('message', (entry) => entry.room === room && entry.seq === deletion);
    const last = client.entries(room).findLastIndex((entry) => holds(entry, texts));
    const at = client.entries(room).findIndex((entry) => entry.seq === deletion);
    assert(last < at, 'the deletion comes after the text');
    if (startedAt > deletedAt) assert.equal(last, -1, 'a later resume does not have the text');
    client.close();
  }
  assert(resumes.some(({ startedAt }) => startedAt > deletedAt));
});

for (const stoppedMs of [300, 3_000])
  test(`a node that was stopped for ${stoppedMs} ms around a deletion resumes no client with the text`, async () => {
    const second = rig.nodes[1];
    const { author, reader, room, epoch, seq, readerId, texts } = await rig.stage('public');
    await reader.until(room, seq);
    const resume = { [room]: { epoch, seq: 0 } };
    second.child.kill('SIGSTOP');
    await author.ok('message:delete', { room, seq, clientMsgId: newId() });
    // They arrive while the node is stopped, and are the first requests when it continues.
    const asked = Array.from({ length: 10 }, () => rig.enter(readerId, 1, resume));
    await sleep(stoppedMs);
    second.child.kill('SIGCONT');
    for (const client of await Promise.all([...asked, rig.enter(readerId, 1, resume)])) {
      await client.until(room, seq);
      assert(!holds(client.received, texts), 'a resume has the text');
      client.close();
    }
  });
