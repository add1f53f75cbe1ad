/** Edits, deletions, reactions and pins as entries of the log, through two gateways. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ClientEventName, type Entry, LIMITS, type SendData } from '@maru/protocol';
import { poll, sleep } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { about, changesOf, contentOf, emojiOf, messageAt, range, say } from './conversations-setup.ts';
import { codeOf, type ModerationRig, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;

before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

describe('a change of a message', () => {
  test('is an entry of the log in the same order for everyone, live and after a resume', async () => {
    const { room, owner, member, ownerId } = await rig.publicRoom();
    const { seq, epoch } = await say(owner, room, 'one');
    await say(member, room, 'two');
    const done: SendData[] = [];
    for (const [event, request] of changesOf(room, seq))
      done.push((await owner.ok(event, request as never)) as SendData);
    assert.deepEqual(
      done.map((sent) => [sent.seq - seq, sent.n - 1, sent.duplicate]),
      [
        [2, 1, false],
        [3, 1, false],
        [4, 1, false],
        [5, 2, false],
        [6, 2, false],
      ],
    );
    const live = [owner, member];
    for (const client of live) await client.until(room, 7);
    const contents = (entries: Entry[]) => entries.map(contentOf);
    assert.deepEqual(contents(member.entries(room)), [
      { seq: 1, n: 1, type: 'text', text: 'one' },
      { seq: 2, n: 2, type: 'text', text: 'two' },
      { seq: 3, n: 2, type: 'message.edit', data: { seq, text: 'edited' } },
      { seq: 4, n: 2, type: 'message.react', data: { seq, emoji: '🎉', active: true } },
      { seq: 5, n: 2, type: 'message.pin', data: { seq, active: true } },
      { seq: 6, n: 3, type: 'text', text: 'a reply', thread: seq },
      { seq: 7, n: 3, type: 'message.delete', data: { seq } },
    ]);
    assert.deepEqual(owner.entries(room), member.entries(room));
    for (const entry of member.entries(room).slice(2)) assert.deepEqual(entry.from, { id: ownerId, name: ownerId });
    // The deleted text and that of its edit are gone. Nothing else differs.
    const asResumed = member.entries(room).map((entry) => {
      const { text: _, ...rest } = entry;
      if (entry.seq === 1) return { ...rest, erased: true };
      return entry.seq === 3 ? { ...entry, data: { seq }, erased: true } : entry;
    });
    for (const index of [0, 1]) {
      const back = await rig.clientOf(`back-${newId()}`, index, { resume: { [room]: { epoch, seq: 0 } } });
      await back.until(room, 7);
      assert.deepEqual(back.entries(room), asResumed);
      const { messages } = await back.ok('room:join', { room, since: { epoch, seq: 0 } });
      assert.deepEqual(messages, asResumed);
    }
  });

  test('is idempotent by its clientMsgId on every node, and the same id for another request is a conflict', async () => {
    const { room, owner, ownerId } = await rig.publicRoom();
    const other = await rig.clientOf(ownerId, 1);
    const { seq } = await say(owner, room);
    for (const [event, request] of changesOf(room, seq)) {
      const first = (await owner.ok(event, request as never)) as SendData;
      for (const client of [owner, other])
        assert.deepEqual(await client.ok(event, request as never), { ...first, duplicate: true }, event);
      const changed = { text: 'other', emoji: '🙁', active: false, reason: 'other' };
      const known = Object.keys(changed).filter((name) => name in request || event === 'message:delete');
      const otherContent = { ...request, ...Object.fromEntries(known.map((name) => [name, changed[name as never]])) };
      assert.equal(await codeOf(other, event, otherContent), 'conflict', event);
      const { clientMsgId } = request as { clientMsgId: string };
      assert.equal(await codeOf(other, 'message:send', { room, clientMsgId, text: 'other' }), 'conflict', event);
      assert.equal((await owner.ok('room:join', { room, limit: 1 })).head, first.seq, 'nothing more was stored');
    }
  });

  test('with an absent message, another kind of entry, or a message of another room is not found', async () => {
    const { room, owner, memberId } = await rig.publicRoom();
    const other = newRoom('other');
    await owner.ok('room:join', { room: other });
    for (let count = 0; count < 9; count++) await say(owner, other);
    const { seq } = await say(owner, room);
    const act = (await owner.ok('room:mute', { room, user: memberId })).seq;
    for (const wrong of [act, act + 1, 9, 1_000_000_000])
      for (const [event, request] of changesOf(room, wrong))
        assert.equal(await codeOf(owner, event, request), 'not_found', `${event} ${wrong}`);
    for (const [event, request] of changesOf(newRoom('nowhere'), 1))
      assert.equal(await codeOf(owner, event, request), 'not_found', event);
    assert.equal((await messageAt(owner, room, seq)).text, 'x');
  });
});

describe('an edit', () => {
  test('is allowed only for the author, and reads show the newest text', async () => {
    const { room, owner, member } = await rig.publicRoom();
    const { seq } = await say(member, room, 'helo');
    assert.equal(await codeOf(owner, 'message:edit', about(room, seq, { text: 'owned' })), 'forbidden');
    for (const text of ['hello', 'hello!']) await member.ok('message:edit', about(room, seq, { text }));
    const edits = (await owner.until(room, 3)).slice(1);
    for (const reader of [owner, member]) {
      const message = await messageAt(reader, room, seq);
      assert.deepEqual([message.text, message.edited], ['hello!', { ts: edits[1]?.ts }]);
    }
    assert.equal(owner.entries(room)[0]?.text, 'helo', 'a live entry is as it was appended');
  });
});

describe('a deletion', () => {
  test('is allowed for the author or a moderator, and a second one is a duplicate', async () => {
    const { room, owner, member, memberId, ownerId } = await rig.publicRoom();
    const [own, others] = [await say(member, room, 'own'), await say(owner, room, 'of the owner')];
    const third = await say(member, room, 'rude');
    assert.equal(await codeOf(member, 'message:delete', about(room, others.seq)), 'forbidden');
    const first = await member.ok('message:delete', about(room, own.seq));
    assert.equal(first.duplicate, false);
    const again = await owner.ok('message:delete', about(room, own.seq));
    assert.deepEqual([again.duplicate, again.seq], [true, first.seq]);
    await owner.ok('message:delete', about(room, third.seq, { reason: 'spam' }));
    for (const [seq, by] of [
      [own.seq, memberId],
      [third.seq, ownerId],
    ] as const) {
      const { text, deleted, erased } = await messageAt(member, room, seq);
      assert.deepEqual([text, deleted?.by, erased], ['', by, true]);
    }
    const entries = await member.until(room, 5);
    assert.deepEqual(entries.at(-1)?.data, { seq: third.seq, reason: 'spam' });
    for (const [event, request] of changesOf(room, own.seq).slice(0, 4))
      assert.equal(await codeOf(owner, event, request), 'not_found', event);
  });
});

test('requests of one connection are stored in the order sent, with and without mentions and threads', async () => {
  const { room, owner, member } = await rig.publicRoom();
  const { seq } = await say(owner, room, 'root');
  const requests: Array<[ClientEventName, object]> = range(1, 120).map((index) => {
    if (index % 5 === 0) return ['message:react', about(room, seq, { emoji: '👍', active: index % 2 === 1 })];
    const more = [{}, { mentions: ['jun'] }, { thread: seq }][index % 3];
    return ['message:send', { room, clientMsgId: newId(), text: `${index}`, ...more }];
  });
  const acks = await Promise.all(requests.map(([event, request]) => member.ok(event, request as never)));
  assert.deepEqual(
    acks.map((ack) => (ack as SendData).seq),
    range(seq + 1, seq + 120),
  );
  await poll('all entries', () => owner.seqs(room).at(-1) === seq + 120);
  await sleep(0);
  assert.deepEqual(owner.seqs(room), range(1, seq + 120));
});

test('a request with a malformed payload is invalid', async () => {
  const { room, owner } = await rig.publicRoom();
  const { seq } = await say(owner, room);
  const wrong: Array<[string, object]> = [
    ['message:edit', about(room, 0, { text: 'x' })],
    ['message:edit', about(room, seq, { text: ' ' })],
    ['message:edit', { room, seq, text: 'x' }],
    ['message:delete', about(room, 1.5)],
    ['message:react', about(room, seq, { emoji: '👍👍', active: true })],
    ['message:react', about(room, seq, { emoji: '', active: true })],
    ['message:react', about(room, seq, { emoji: '👍' })],
    ['message:pin', about(room, seq)],
    ['message:send', { room, clientMsgId: newId(), text: 'x', thread: 0 }],
    ['message:send', { room, clientMsgId: newId(), text: 'x', mentions: ['@room', 'jun'] }],
    ['message:send', { room, clientMsgId: newId(), text: 'x', mentions: emojiOf(LIMITS.mentionsMax + 1) }],
  ];
  for (const [event, request] of wrong)
    assert.equal(await codeOf(owner, event, request), 'invalid', JSON.stringify(request));
  assert.equal(await codeOf(owner, 'message:edit', about(room, seq, { text: 'x'.repeat(4_001) })), 'too_large');
  assert.equal((await owner.ok('room:join', { room, limit: 1 })).head, seq);
});
