/** Attacks on acts on messages: foreign and invalid `seq`s, missing rights, forged fields. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ClientEventName, Entry } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type Site, startSite, urlOf, WAYS, type Way } from './site.ts';

let site: Site;
const open: TestClient[] = [];

before(async () => {
  site = await startSite({ environment: WIDE_LIMITS });
});
after(async () => {
  for (const client of open) client.close();
  await site?.stop();
});

async function enter(way: Way, user: string): Promise<TestClient> {
  const client = await connect(urlOf(site, way), { token: tokenOf(user) });
  open.push(client);
  return client;
}

/** A public room of an owner, with a message of the owner and one of a member. */
async function stage(way: Way) {
  const [owner, member] = [await enter(way, `owner-${newId()}`), await enter(way, `member-${newId()}`)];
  const room = newRoom('acts');
  await owner.ok('room:create', { room });
  for (const client of [owner, member]) await client.ok('room:join', { room });
  const send = async (client: TestClient, text: string) =>
    (await client.ok('message:send', { room, clientMsgId: newId(), text })).seq;
  return {
    room,
    owner,
    member,
    ownersSeq: await send(owner, 'of the owner'),
    membersSeq: await send(member, 'theirs'),
  };
}

type Request = [event: ClientEventName, payload: Record<string, unknown>];

/** All requests that change a message, with this message as target. */
const changesOf = (room: string, seq: number): Request[] => [
  ['message:edit', { room, seq, clientMsgId: newId(), text: 'changed' }],
  ['message:delete', { room, seq, clientMsgId: newId() }],
  ['message:react', { room, seq, clientMsgId: newId(), emoji: '👍', active: true }],
  ['message:react', { room, seq, clientMsgId: newId(), emoji: '👍', active: false }],
  ['message:pin', { room, seq, clientMsgId: newId(), active: true }],
  ['message:pin', { room, seq, clientMsgId: newId(), active: false }],
  ['message:send', { room, clientMsgId: newId(), text: 'a reply', thread: seq }],
];
const readsOf = (room: string, seq: number): Request[] => [
  ['messages:read', { room, around: seq }],
  ['messages:read', { room, thread: seq }],
  ['messages:read', { room, thread: seq, around: seq }],
];

const headOf = async (client: TestClient, room: string) => (await client.ok('history:read', { room, limit: 1 })).head;

for (const way of WAYS)
  describe(`a seq that is not a message of the room, ${way},`, () => {
    async function assertNotFound(room: string, owner: TestClient, seqs: readonly number[]): Promise<void> {
      const head = await headOf(owner, room);
      for (const seq of seqs)
        for (const [event, payload] of changesOf(room, seq)) {
          const ack = await owner.raw(event, payload);
          assert.equal(ack.ok ? 'ok' : ack.error.code, 'not_found', `${event} of ${seq}: ${JSON.stringify(ack)}`);
        }
      assert.equal(await headOf(owner, room), head, 'nothing was stored');
    }

    test('is not found if it is in the future', async () => {
      const { room, owner } = await stage(way);
      const head = await headOf(owner, room);
      await assertNotFound(room, owner, [head + 1, head + 1_000, 2 ** 32, Number.MAX_SAFE_INTEGER]);
      for (const seq of [head + 1, Number.MAX_SAFE_INTEGER]) await assertOnlyOf(room, owner, readsOf(room, seq));
    });

    test('is not found if it belongs to another room', async () => {
      const [{ room, owner }, other] = [await stage(way), await stage(way)];
      for (let count = 0; count < 5; count++)
        await other.owner.ok('message:send', { room: other.room, clientMsgId: newId(), text: 'of another room' });
      const foreign = await headOf(other.owner, other.room);
      await assertNotFound(room, owner, [foreign]);
      await assertOnlyOf(room, owner, readsOf(room, foreign));
      const { messages } = await other.owner.ok('messages:read', { room: other.room });
      assert(messages.every((message) => message.reactions === undefined && message.edited === undefined));
    });

    test('is not found if it is an act', async () => {
      const { room, owner, ownersSeq: seq } = await stage(way);
      const acts = [
        await owner.ok('room:update', { room, clientMsgId: newId(), topic: 'Tea' }),
        await owner.ok('message:edit', { room, seq, clientMsgId: newId(), text: 'changed' }),
        await owner.ok('message:react', { room, seq, clientMsgId: newId(), emoji: '👍', active: true }),
        await owner.ok('message:pin', { room, seq, clientMsgId: newId(), active: true }),
      ];
      await assertNotFound(
        room,
        owner,
        acts.map((act) => act.seq),
      );
      for (const act of acts) await assertOnlyOf(room, owner, readsOf(room, act.seq));
    });

    test('is not found if the message was deleted, and deleting it again changes nothing', async () => {
      const { room, owner, membersSeq: seq } = await stage(way);
      await owner.ok('message:delete', { room, seq, clientMsgId: newId() });
      const head = await headOf(owner, room);
      for (const [event, payload] of changesOf(room, seq)) {
        if (event === 'message:delete') {
          const { duplicate } = await owner.ok('message:delete', payload as never);
          assert.equal(duplicate, true);
        } else await owner.refused('not_found', event, payload);
      }
      assert.equal(await headOf(owner, room), head, 'nothing was stored');
      await assertOnlyOf(room, owner, readsOf(room, seq));
    });

    test('is invalid if it is not a positive integer', async () => {
      const { room, owner } = await stage(way);
      for (const seq of [0, -1, 0.5, 2 ** 53, '1', null, [1], {}, `1\n2`, true] as never[]) {
        for (const [event, payload] of [...changesOf(room, seq), ...readsOf(room, seq)])
          await owner.refused('invalid', event, payload);
        await owner.refused('invalid', 'typing', { room, active: true, thread: seq });
        if (seq !== 0) await owner.refused('invalid', 'room:read', { room, seq });
      }
    });

    test('moves no read position above the head', async () => {
      const { room, member } = await stage(way);
      const head = await headOf(member, room);
      for (const seq of [head + 1, Number.MAX_SAFE_INTEGER]) {
        const ack = await member.request('room:read', { room, seq });
        assert(ack.ok ? ack.data.seq <= head : ack.error.code === 'invalid', JSON.stringify(ack));
      }
      await member.ok('message:send', { room, clientMsgId: newId(), text: 'later' });
      const { unread, n } = await member.ok('room:read', { room, seq: 0 });
      assert(unread >= 1 && n <= head, JSON.stringify({ unread, n }));
    });
  });

/** A read at a place that does not exist is refused, or returns messages of the room. */
async function assertOnlyOf(room: string, client: TestClient, requests: readonly Request[]): Promise<void> {
  for (const [event, payload] of requests) {
    const ack = await client.raw(event, payload);
    if (!ack.ok)
      assert.equal(ack.error.code, 'not_found', `${event} ${JSON.stringify(payload)}: ${JSON.stringify(ack)}`);
    else assert((ack.data.messages as Entry[]).every((message) => message.room === room && message.type === 'text'));
  }
}

for (const way of WAYS)
  describe(`rights on messages, ${way},`, () => {
    test("a member can neither edit nor delete nor pin another user's message", async () => {
      const { room, member, ownersSeq: seq } = await stage(way);
      const head = await headOf(member, room);
      for (const [event, payload] of changesOf(room, seq))
        if (['message:edit', 'message:delete', 'message:pin'].includes(event))
          await member.refused('forbidden', event, payload);
      await member.refused('forbidden', 'message:send', {
        room,
        clientMsgId: newId(),
        text: 'all',
        mentions: ['@room'],
      });
      assert.equal(await headOf(member, room), head);
    });

    test('a moderator can delete but not edit messages of others', async () => {
      const { room, owner, membersSeq: seq } = await stage(way);
      await owner.refused('forbidden', 'message:edit', {
        room,
        seq,
        clientMsgId: newId(),
        text: 'put into their mouth',
      });
      await owner.ok('message:delete', { room, seq, clientMsgId: newId() });
    });

    for (const [act, whileBanned] of [
      ['room:mute', false],
      ['room:ban', true],
    ] as const)
      test(`a user under ${act} changes nothing`, async () => {
        const { room, owner, member, membersSeq: seq } = await stage(way);
        const user = member.session.user.id;
        await owner.ok(act, { room, user });
        const head = await headOf(owner, room);
        for (const [event, payload] of changesOf(room, seq)) await member.refused('forbidden', event, payload);
        if (whileBanned)
          for (const [event, payload] of [
            ...readsOf(room, seq),
            ['room:read', { room, seq }],
            ['room:readers', { room }],
            ['room:follow', { room, active: true }],
          ] as Request[])
            await member.refused('forbidden', event, payload);
        assert.equal(await headOf(owner, room), head);
      });

    test('a reply to a reply is invalid', async () => {
      const { room, member, ownersSeq } = await stage(way);
      const reply = { room, clientMsgId: newId(), text: 'a reply', thread: ownersSeq };
      const { seq } = await member.ok('message:send', reply);
      await member.refused('invalid', 'message:send', { ...reply, clientMsgId: newId(), thread: seq });
    });

    test('an invalid emoji is refused', async () => {
      const { room, member, ownersSeq: seq } = await stage(way);
      for (const emoji of [
        '',
        ' ',
        '👍👍',
        '\u200b',
        '\n',
        'a\nb',
        '\ud83d',
        '\u202e',
        '\u0000',
        `e${'\u0301'.repeat(20)}`,
      ])
        await member.refused('invalid', 'message:react', { room, seq, clientMsgId: newId(), emoji, active: true });
    });
  });

for (const way of WAYS)
  test(`forged fields of acts on messages are ignored, ${way}`, async () => {
    const { room, owner, member, ownersSeq, membersSeq: seq } = await stage(way);
    const forged = {
      from: { id: 'root', name: 'Root' },
      user: 'root',
      ts: 1,
      n: 99,
      epoch: 'forged',
      type: 'room.role',
      data: { seq: ownersSeq, user: 'root', role: 'owner' },
      erased: true,
      edited: { ts: 1 },
      deleted: { ts: 1, by: 'root' },
      reactions: [{ emoji: '👍', count: 99, mine: true, users: ['root'] }],
      replies: { n: 99, seq: 1, ts: 1 },
      pinned: true,
    };
    const requests: Array<[...Request, expected: unknown]> = [
      ['message:edit', { room, seq, text: 'changed' }, { seq, text: 'changed' }],
      ['message:react', { room, seq, emoji: '👍', active: true }, { seq, emoji: '👍', active: true }],
      ['message:delete', { room, seq }, { seq }],
    ];
    for (const [event, payload, data] of requests) {
      const ack = await member.raw(event, { ...payload, ...forged, clientMsgId: newId() });
      assert(ack.ok, JSON.stringify(ack));
      const stored = ack.data.seq;
      const entry = await owner.event<Entry>('message', (one) => one.room === room && one.seq === stored);
      assert.deepEqual(
        [entry.from.id, entry.type, entry.data],
        [member.session.user.id, event.replace(':', '.'), data],
      );
      assert(entry.ts > 1 && entry.n === 2 && entry.epoch !== 'forged' && entry.erased === undefined);
    }
    const { seq: plain } = await member.ok('message:send', {
      room,
      clientMsgId: newId(),
      text: 'x',
      ...forged,
    } as never);
    const { messages } = await owner.ok('messages:read', { room, around: plain, limit: 1 });
    const { reactions, replies, pinned, deleted, edited, erased, data } = messages[0] ?? assert.fail('no message');
    assert.deepEqual([reactions, replies, pinned, deleted, edited, erased, data], Array(7).fill(undefined));
  });

for (const way of WAYS)
  test(`a clientMsgId belongs to one user and one content, ${way}`, async () => {
    const { room, owner, member, ownersSeq, membersSeq } = await stage(way);
    const clientMsgId = newId();
    await owner.ok('message:react', { room, seq: membersSeq, clientMsgId, emoji: '👍', active: true });
    const theirs = await member.ok('message:react', { room, seq: ownersSeq, clientMsgId, emoji: '👍', active: true });
    assert.equal(theirs.duplicate, false);
    for (const [event, payload] of changesOf(room, ownersSeq)) {
      if (event === 'message:delete') continue;
      await owner.refused('conflict', event, { ...payload, clientMsgId });
    }
  });

test('all of this did no harm', () => site.assertUnharmed());
