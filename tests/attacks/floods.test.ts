/** Floods of edits, reactions, pins and replies: refused, and bounded in memory. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type Site, startSite, urlOf, WAYS, type Way } from './site.ts';

const { userMessagesBurst, emojiPerMessageMax, editsPerMessageMax, pinsPerRoomMax } = LIMITS;
const open: TestClient[] = [];
const sites: Site[] = [];
after(async () => {
  for (const client of open) client.close();
  for (const site of sites) await site.stop();
});

async function start(environment: Record<string, string>): Promise<Site> {
  const site = await startSite({
    environment: { ...environment, NODE_OPTIONS: `--import ${new URL('collect-garbage.mjs', import.meta.url).href}` },
  });
  sites.push(site);
  return site;
}
async function enter(site: Site, way: Way, user = `user-${newId()}`): Promise<TestClient> {
  const client = await connect(urlOf(site, way), { token: tokenOf(user) });
  open.push(client);
  return client;
}
async function stage(site: Site, way: Way) {
  const owner = await enter(site, way);
  const room = newRoom('flood');
  await owner.ok('room:create', { room });
  const { seq } = await owner.ok('message:send', { room, clientMsgId: newId(), text: 'a message' });
  return { owner, room, seq };
}

/** Counts the answers: `ok`, or the error code. */
async function answers(
  client: TestClient,
  event: string,
  payloads: readonly object[],
): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let from = 0; from < payloads.length; from += 100)
    for (const ack of await Promise.all(
      payloads.slice(from, from + 100).map((payload) => client.raw(event, payload)),
    )) {
      if (!ack.ok && ack.error.code === 'rate_limited') assert((ack.error.retryAfterMs ?? 0) > 0);
      const what = ack.ok ? 'ok' : ack.error.code;
      seen[what] = (seen[what] ?? 0) + 1;
    }
  return seen;
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('with the default limits', () => {
  let site: Site;
  before(async () => {
    const { MARU_CONNECTION_EVENTS_PER_SECOND, MARU_CONNECTION_EVENTS_BURST } = WIDE_LIMITS;
    site = await start({ MARU_CONNECTION_EVENTS_PER_SECOND, MARU_CONNECTION_EVENTS_BURST } as Record<string, string>);
  });

  for (const way of WAYS)
    for (const [event, more] of [
      ['message:edit', (index: number) => ({ text: `edit ${index}` })],
      ['message:react', (index: number) => ({ emoji: '👍', active: index % 2 === 0 })],
      ['message:pin', (index: number) => ({ active: index % 2 === 0 })],
    ] as const)
      test(`a flood of ${event} is limited like messages, ${way}`, async () => {
        const { owner, room, seq } = await stage(site, way);
        const count = userMessagesBurst * 3;
        const seen = await answers(
          owner,
          event,
          times(count, (index) => ({ room, seq, clientMsgId: newId(), ...more(index) })),
        );
        // Tokens refill while a busy machine answers.
        assert((seen.rate_limited ?? 0) >= userMessagesBurst / 2, JSON.stringify(seen));
        assert((seen.ok ?? 0) >= userMessagesBurst / 2, JSON.stringify(seen));
        assert.deepEqual(Object.keys(seen).sort(), ['ok', 'rate_limited']);
        const { head } = await owner.ok('history:read', { room, limit: 1 });
        assert(head <= (seen.ok ?? 0) + 1, 'a refused request stores nothing');
      });
});

describe('with wide limits', () => {
  let site: Site;
  before(async () => {
    site = await start(WIDE_LIMITS);
  });

  test('a message accepts a limited number of different emoji from all users together', async () => {
    const { room, seq } = await stage(site, 'around nginx');
    const emoji = times(emojiPerMessageMax + 10, (index) => String.fromCodePoint(0x1f600 + index));
    const seen: Record<string, number> = {};
    for (const one of emoji) {
      const client = await enter(site, 'around nginx');
      const request = { room, seq, clientMsgId: newId(), emoji: one, active: true };
      for (const [code, count] of Object.entries(await answers(client, 'message:react', [request])))
        seen[code] = (seen[code] ?? 0) + count;
      client.close();
    }
    assert.deepEqual(seen, { ok: emojiPerMessageMax, conflict: 10 });
  });

  test('a message takes a limited number of edits', async () => {
    const { owner, room, seq } = await stage(site, 'through nginx');
    const edits = times(editsPerMessageMax + 50, (index) => ({
      room,
      seq,
      clientMsgId: newId(),
      text: `edit ${index}`,
    }));
    assert.deepEqual(await answers(owner, 'message:edit', edits), { ok: editsPerMessageMax, conflict: 50 });
    const { messages } = await owner.ok('messages:read', { room });
    assert.equal(messages[0]?.text, `edit ${editsPerMessageMax - 1}`);
    await owner.ok('message:delete', { room, seq, clientMsgId: newId() });
  });

  test('a room takes a limited number of pins', async () => {
    const { owner, room } = await stage(site, 'through nginx');
    const texts = times(pinsPerRoomMax + 5, () => ({ room, clientMsgId: newId(), text: 'x' }));
    await answers(owner, 'message:send', texts);
    const pins = times(pinsPerRoomMax + 5, (index) => ({ room, seq: index + 1, clientMsgId: newId(), active: true }));
    assert.deepEqual(await answers(owner, 'message:pin', pins), { ok: pinsPerRoomMax, conflict: 5 });
  });

  test('thousands of reactions, replies and reads leave no memory behind in the gateway', async () => {
    const { owner, room, seq } = await stage(site, 'around nginx');
    const round = async () => {
      for (let step = 0; step < 5; step++) {
        await answers(
          owner,
          'message:react',
          times(400, (index) => ({ room, seq, clientMsgId: newId(), emoji: '👍', active: index % 2 === 0 })),
        );
        await answers(
          owner,
          'message:send',
          times(100, () => ({ room, clientMsgId: newId(), text: 'a reply', thread: seq, mentions: ['someone'] })),
        );
        await answers(
          owner,
          'messages:read',
          times(100, () => ({ room, thread: seq, limit: 50 })),
        );
      }
      owner.received.length = 0;
    };
    await round();
    const before = await heapBytes(site);
    for (let count = 0; count < 2; count++) await round();
    const after = await heapBytes(site);
    assert(after <= before * 1.2, `${before}, then ${after}`);
  });

  test('all of this did no harm', () => site.assertUnharmed());
});

async function heapBytes(site: Site): Promise<number> {
  const answered = once(site.gateway.child, 'message');
  site.gateway.child.send('memory');
  return ((await answered)[0] as { heapBytes: number }).heapBytes;
}
