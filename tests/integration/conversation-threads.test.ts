/** Threads, mentions, and their inbox events, through two gateways. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Entry, type InboxEvent, LIMITS, type TypingSignal } from '@maru/protocol';
import type { TestClient } from '../support/client.ts';
import { poll, sleep } from '../support/poll.ts';
import { newId } from '../support/tokens.ts';
import { about, messageAt, range, say } from './conversations-setup.ts';
import { codeOf, type ModerationRig, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;

before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

const seqsOf = ({ messages }: { messages: Entry[] }) => messages.map(({ seq }) => seq);

describe('a thread', () => {
  test('contains the replies that are not deleted, and its root counts them', async () => {
    const { room, owner, member } = await rig.publicRoom();
    const root = (await say(owner, room, 'root')).seq;
    const replies = [];
    for (let count = 0; count < 4; count++) {
      await say(owner, room, 'between');
      replies.push(await say(count % 2 ? owner : member, room, `reply ${count}`, { thread: root }));
    }
    const seqs = replies.map(({ seq }) => seq);
    const repliesOf = async () => (await messageAt(member, room, root)).replies;
    const last = replies[3];
    assert.deepEqual(await repliesOf(), { n: 4, seq: last?.seq, ts: last?.ts });
    await owner.until(room, 9);
    for (const reply of owner.entries(room).filter(({ seq }) => seqs.includes(seq))) assert.equal(reply.thread, root);

    const page = (more: object) => member.ok('messages:read', { room, thread: root, ...more });
    const all = await page({});
    assert.deepEqual([seqsOf(all), all.hasMore, all.hasNewer], [seqs, false, false]);
    const newest = await page({ limit: 2 });
    assert.deepEqual([seqsOf(newest), newest.hasMore, newest.hasNewer], [seqs.slice(2), true, false]);
    const oldest = await page({ after: root, limit: 2 });
    assert.deepEqual([seqsOf(oldest), oldest.hasMore, oldest.hasNewer], [seqs.slice(0, 2), false, true]);

    await owner.ok('message:delete', about(room, last?.seq ?? 0));
    assert.deepEqual(await repliesOf(), { n: 3, seq: seqs[2], ts: replies[2]?.ts });
    const deleted = (await page({})).messages.find(({ seq }) => seq === last?.seq);
    assert.deepEqual([deleted?.text, deleted?.thread, deleted?.erased], ['', root, true]);
    await owner.ok('message:delete', about(room, root));
    assert.equal((await repliesOf())?.n, 3, 'replies to a deleted message stay');
  });

  test('cannot contain threads, and starts at an existing message', async () => {
    const { room, owner, member, memberId } = await rig.publicRoom();
    const root = (await say(owner, room)).seq;
    const reply = (await say(owner, room, 'reply', { thread: root })).seq;
    const deleted = (await say(owner, room)).seq;
    const act = (await owner.ok('message:delete', about(room, deleted))).seq;
    const send = (thread: number) => codeOf(member, 'message:send', { room, clientMsgId: newId(), text: 'x', thread });
    assert.equal(await send(reply), 'invalid');
    for (const wrong of [deleted, act, act + 1, act + 1_000]) assert.equal(await send(wrong), 'not_found', `${wrong}`);
    await owner.ok('message:delete', about(room, reply));
    assert.notEqual(await send(reply), 'ok');
    await owner.ok('room:mute', { room, user: memberId });
    assert.equal(await send(root), 'forbidden');
  });

  test('is part of typing events', async () => {
    const { room, owner, member, memberId } = await rig.publicRoom();
    const user = { id: memberId, name: memberId };
    for (const thread of [undefined, 7, 8]) {
      const typed = () => owner.payloads<TypingSignal>('typing').filter((signal) => signal.thread === thread);
      await poll('the typing', async () => {
        await member.ok('typing', { room, active: true, ...(thread === undefined ? {} : { thread }) });
        await sleep(50);
        return typed().length > 0;
      });
      assert.deepEqual(typed()[0], { room, user, active: true, ...(thread === undefined ? {} : { thread }) });
    }
    await member.refused('invalid', 'typing', { room, active: true, thread: 0 });
  });
});

const inboxOf = (client: TestClient, room: string) =>
  client.payloads<InboxEvent>('inbox').filter((event) => event.room === room && /message|mention/.test(event.type));

/** Waits until the node has subscribed to the user's channel, by a mention in another room. */
async function heard(client: TestClient, id: string, sender: TestClient): Promise<void> {
  const { room } = await sender.ok('room:create', { visibility: 'direct', user: id });
  await poll('the channel of a user', async () => {
    await say(sender, room);
    await sleep(20);
    return inboxOf(client, room).length > 0;
  });
}

/** The client's inbox gets no further event of the room. */
async function onlyHas(client: TestClient, id: string, room: string, expected: object[], sender: TestClient) {
  await heard(client, id, sender);
  assert.deepEqual(inboxOf(client, room), expected);
}

describe('a mention', () => {
  test('reaches the mentioned users, in rooms that they have not joined, but no stranger of a private room', async () => {
    const { room, owner, ownerId, memberId } = await rig.privateRoom();
    const device = await rig.clientOf(memberId, 0);
    const strangerId = `stranger-${newId()}`;
    const stranger = await rig.clientOf(strangerId, 1);
    await heard(device, memberId, owner);
    await heard(stranger, strangerId, owner);
    const text = '😀'.repeat(300);
    const mentions = [memberId, strangerId, ownerId];
    const { seq, ts, n } = await say(owner, room, text, { mentions });
    const event = { room, from: { id: ownerId, name: ownerId } };
    const first = { type: 'mention', ...event, seq, ts, n, text: '😀'.repeat(LIMITS.inboxTextCodePointsMax) };
    await poll('the mention', () => inboxOf(device, room).length > 0);
    // An edit notifies newly mentioned users.
    await owner.ok('message:edit', about(room, seq, { text: 'same', mentions }));
    const plain = (await say(owner, room, 'plain')).seq;
    const edit = await owner.ok('message:edit', about(room, plain, { text: 'edited', mentions }));
    const second = { type: 'mention', ...event, seq: plain, ts: edit.ts, n: edit.n, text: 'edited' };
    await poll('the second mention', () => inboxOf(device, room).length > 1);
    await onlyHas(device, memberId, room, [first, second], owner);
    await onlyHas(stranger, strangerId, room, [], owner);
    const entries = await owner.ok('history:read', { room });
    assert.deepEqual(entries.messages.find((entry) => entry.seq === seq)?.mentions, mentions);
  });

  test('of the room is for moderators and owners, and reaches its members', async () => {
    const { room, owner, member, memberId } = await rig.privateRoom();
    const mentions = ['@room'];
    const send = (client: TestClient) =>
      codeOf(client, 'message:send', { room, clientMsgId: newId(), text: 'x', mentions });
    assert.equal(await send(member), 'forbidden');
    const { seq } = await say(member, room, 'plain');
    assert.equal(await codeOf(member, 'message:edit', about(room, seq, { text: 'x', mentions })), 'forbidden');
    await heard(member, memberId, owner);
    await say(owner, room, 'all', { mentions });
    await poll('the mention', () => inboxOf(member, room).length > 0);
    assert.equal((inboxOf(member, room)[0] as { text: string }).text, 'all');
    assert.deepEqual(inboxOf(owner, room), []);
    const direct = (await owner.ok('room:create', { visibility: 'direct', user: memberId })).room;
    for (const client of [owner, member])
      assert.equal(
        await codeOf(client, 'message:send', { room: direct, clientMsgId: newId(), text: 'x', mentions }),
        'forbidden',
      );
  });
});

test('a message of a direct room reaches every connection of both users, whether they joined or not', async () => {
  const { owner, member, ownerId, memberId } = await rig.publicRoom();
  const devices = [owner, member, await rig.clientOf(ownerId, 1), await rig.clientOf(memberId, 0)] as const;
  await heard(devices[2], ownerId, member);
  await heard(devices[3], memberId, owner);
  await heard(devices[0], ownerId, member);
  await heard(devices[1], memberId, owner);
  const { room } = await owner.ok('room:create', { visibility: 'direct', user: memberId });
  const { seq, ts, n } = await say(owner, room, 'hi');
  const reply = await say(member, room, 'in a thread', { thread: seq });
  await owner.ok('message:edit', about(room, seq, { text: 'edited' }));
  await owner.ok('message:react', about(room, seq, { emoji: '👍', active: true }));
  const event = { type: 'message', room };
  const first = { ...event, seq, ts, n, from: { id: ownerId, name: ownerId }, text: 'hi' };
  const second = {
    ...{ ...event, seq: reply.seq, ts: reply.ts, n: reply.n },
    ...{ from: { id: memberId, name: memberId }, text: 'in a thread' },
  };
  for (const device of devices) {
    const own = () => inboxOf(device, room).filter((one) => 'seq' in one && one.seq >= seq);
    await poll('both messages', () => own().length >= 2);
    assert.deepEqual(own(), [first, second]);
  }
});

test('pages of messages skip other entries, and say whether there are more', async () => {
  const { room, owner, member } = await rig.publicRoom();
  const seqs: number[] = [];
  for (let count = 0; count < 5; count++) {
    seqs.push((await say(owner, room, `${count}`)).seq);
    const seq = seqs.at(-1) as number;
    await Promise.all(
      range(1, 120).map((index) =>
        member.ok('message:react', about(room, seq, { emoji: '👍', active: index % 2 === 1 })),
      ),
    );
  }
  const [first = 0, second, third = 0, fourth, fifth] = seqs;
  const pages: Array<[object, unknown[], boolean, boolean]> = [
    [{}, seqs, false, false],
    [{ limit: 2 }, [fourth, fifth], true, false],
    [{ before: third, limit: 1 }, [second], true, true],
    [{ before: third }, [first, second], false, true],
    [{ after: third, limit: 1 }, [fourth], true, true],
    [{ after: third }, [fourth, fifth], true, false],
    [{ after: 0, limit: 2 }, [first, second], false, true],
    [{ around: third, limit: 3 }, [second, third, fourth], true, true],
    [{ around: third, limit: 1 }, [third], true, true],
    [{ before: 1 }, [], false, true],
  ];
  for (const [more, expected, hasMore, hasNewer] of pages) {
    const page = await member.ok('messages:read', { room, ...more });
    assert.deepEqual([seqsOf(page), page.hasMore, page.hasNewer], [expected, hasMore, hasNewer], JSON.stringify(more));
    assert.equal(page.head, 5 * 121);
  }
  await member.refused('invalid', 'messages:read', { room, before: 1, after: 1 });
  await member.refused('invalid', 'messages:read', { room, thread: 1, pinned: true });
  await member.refused('invalid', 'messages:read', { room, limit: 201 });
});
