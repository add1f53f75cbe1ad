import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type TestClient } from '../support/client.ts';
import { poll, sleep } from '../support/poll.ts';
import { RawSocket, rawRequest } from '../support/raw.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const room = newRoom('malformed');
let endpoint: string;
let token: string;
let pids: string;
/** One correct client on each gateway. Malformed input of others must not affect them. */
let witnesses: TestClient[];

const pidsNow = async () =>
  JSON.stringify((await cluster.status()).processes.map(({ name, pid }) => `${name} ${pid}`).sort());

before(async () => {
  ({ endpoint } = cluster);
  pids = await pidsNow();
  ({ token } = await createGuest(endpoint, 'Mallory'));
  const guest = await createGuest(endpoint, 'Witness');
  const gateways = await cluster.gateways();
  witnesses = await Promise.all(gateways.map(({ address }) => connect(address, { token: guest.token })));
  for (const witness of witnesses) await witness.ok('room:join', { room });
});
after(() => {
  for (const witness of witnesses ?? []) witness.close();
});

async function assertAllLive(): Promise<void> {
  for (const witness of witnesses) {
    assert.deepEqual(witness.disconnects, []);
    await witness.patient('history:read', { room, limit: 1 });
  }
}

/** Connections at once: most of the time passes in waiting for answers. */
const AT_ONCE = 4;

/** Runs `work` for each item, at most AT_ONCE at the same time. */
async function forEachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}

const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`;
const EVENTS: Record<string, string> = {
  'room:create': '',
  'room:join': `"room":"${room}",`,
  'room:leave': `"room":"${room}",`,
  'room:members': `"room":"${room}",`,
  'room:invite': `"room":"${room}","user":"u",`,
  'message:send': `"room":"${room}","clientMsgId":"deep","text":"deep",`,
  'history:read': `"room":"${room}",`,
  typing: `"room":"${room}","active":true,`,
  'presence:watch': `"room":"${room}",`,
  'presence:unwatch': `"room":"${room}",`,
  'presence:set': '"status":"away",',
  'auth:renew': '"token":"x",',
  unknown: '',
};

describe('a deeply nested payload', () => {
  for (const depth of [100, 1_000, 10_000, 50_000])
    test(`with ${depth} levels is invalid or too_large, or closes the transport`, async () => {
      const cases = Object.entries(EVENTS).flatMap(([event, fields]) => [
        { event, payload: nested(depth, '[', ']') },
        { event, payload: `{${fields}"deep":${nested(Math.floor(depth / 2), '{"a":', '}')}}` },
      ]);
      await forEachAtOnce(cases, async ({ event, payload }) => {
        const raw = await RawSocket.connect(endpoint, token);
        raw.send(`427["${event}",${payload}]`);
        const answer = await raw.frameOrEnd((frame) => frame.startsWith('437['));
        if (answer !== undefined) assert.match(answer, /"code":"(invalid|too_large)"/, `${event}: ${answer}`);
        raw.close();
      });
      await assertAllLive();
    });

  test('in the handshake does not affect other clients', async () => {
    for (const auth of [
      `{"token":${nested(10_000, '[', ']')}}`,
      `{"token":"${token}","resume":${nested(10_000, '{"a":', '}')}}`,
      nested(10_000, '[', ']'),
    ]) {
      const raw = await RawSocket.open(endpoint);
      raw.send(`40${auth}`);
      await raw.frameOrEnd((frame) => frame.startsWith('44') || frame.startsWith('42["session"'));
      raw.close();
    }
    await assertAllLive();
  });
});

/**
 * Frames that are not a packet, or not one that the server expects now. The contract does not say
 * whether the server answers or closes the transport.
 */
const BEFORE_SIGN_IN: string[] = [
  '',
  '4',
  '9',
  'hello',
  '42["history:read",{}]',
  '43[]',
  '40{',
  '40[]',
  '40"token"',
  '40null',
  '40{"token":{}}',
  '40/,',
  '40/admin,{"token":"x"}',
  '40/__proto__,{}',
  '0{}',
  '2probe',
  '5',
  '6',
  '\u0000',
  '451-["x",{"_placeholder":true,"num":0}]',
];
const AFTER_SIGN_IN: string[] = [
  ...BEFORE_SIGN_IN,
  '42',
  '42{',
  '42[]',
  '42[1]',
  '42[0,{}]',
  '42[null]',
  '42[["room:join"],{}]',
  '42[{"a":1}]',
  '42["history:read"',
  '42["history:read",{}',
  '42-1["history:read",{}]',
  '4299999999999999999999["history:read",{}]',
  '42["__proto__",{}]',
  '42["constructor"]',
  '42["connect",{}]',
  '42["disconnect","x"]',
  '42["error",{}]',
  '42["newListener",{}]',
  '430[]',
  '43',
  '4399[{}]',
  '44{"message":"x"}',
  '45',
  '45-["x"]',
  '450-["history:read",{}]',
  '451-["message:send",{"_placeholder":true,"num":9}]',
  '4599999999-["message:send",{"_placeholder":true,"num":0}]',
  '451-["message:send",{"_placeholder":true,"num":"0"}]',
  '461-[{"_placeholder":true,"num":0}]',
  '47',
  '42/other,["history:read",{}]',
  `42${'['.repeat(60_000)}`,
  `42[${'"x",'.repeat(20_000)}1]`,
];

describe('a malformed packet', () => {
  test('before the sign-in does not affect other clients', async () => {
    for (const frame of BEFORE_SIGN_IN) {
      const raw = await RawSocket.open(endpoint);
      raw.send(frame);
      raw.send('42["history:read",{}]');
      await sleep(5);
      assert(!raw.frames.some((answer) => answer.startsWith('42["session"')));
      raw.close();
    }
    await assertAllLive();
  });

  for (const [where, gateway] of [
    ['through nginx', undefined],
    ['directly at a gateway', 0],
  ] as const)
    test(`after the sign-in does not affect other clients, ${where}`, async () => {
      const address = gateway === undefined ? endpoint : (await cluster.gateways())[gateway]?.address;
      await forEachAtOnce(AFTER_SIGN_IN, async (frame) => {
        const raw = await RawSocket.connect(address ?? endpoint, token);
        raw.send(frame);
        raw.send(new Uint8Array([1, 2, 3]));
        raw.send(frame);
        // The connection must answer or close, and must never hang.
        raw.send(`4212["history:read",{"room":"${room}"}]`);
        await raw.frameOrEnd((answer) => answer.startsWith('4312['));
        raw.close();
      });
      await assertAllLive();
    });

  test('with random changes does not affect other clients', async (t) => {
    const seed = Number(process.env.MARU_TEST_SEED ?? Date.now() % 1_000_000);
    t.diagnostic(`seed ${seed} (set MARU_TEST_SEED to repeat)`);
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const valid = `421["message:send",{"room":"${room}","clientMsgId":"fuzz","text":"fuzz"}]`;
    // All frames are generated before the first is sent, so a seed always gives the same frames.
    const randomFrames = () =>
      Array.from({ length: 5 }, () => {
        const letters = [...valid];
        for (let change = 0; change <= random(4); change++)
          letters[random(letters.length)] = '[]{}",:0123456789-\\_'[random(20)] ?? '';
        // A changed text may still be a valid message. Send it to another room, because the last
        // test asserts that this room is empty.
        return letters.join('').replaceAll(room, 'fuzzed');
      });
    const rounds = Array.from({ length: 60 }, randomFrames);
    await forEachAtOnce(rounds, async (frames) => {
      const raw = await RawSocket.connect(endpoint, token);
      for (const frame of frames) raw.send(frame);
      raw.close();
    });
    await assertAllLive();
  });

  test('for any of 100 other namespaces does not affect other clients', async () => {
    const raw = await RawSocket.connect(endpoint, token);
    for (let index = 0; index < 100; index++) raw.send(`40/namespace-${index},${JSON.stringify({ token })}`);
    raw.send(`4212["history:read",{"room":"${room}"}]`);
    await raw.frameOrEnd((answer) => answer.startsWith('4312['));
    assert(!raw.frames.some((frame) => /^40\/namespace/.test(frame)), 'the server must not accept another namespace');
    raw.close();
    await assertAllLive();
  });
});

describe('a packet that is too large', () => {
  const large = `421["message:send",{"room":"${room}","clientMsgId":"large","text":"${'x'.repeat(3_000_000)}"}]`;

  test('closes the WebSocket', async () => {
    const raw = await RawSocket.connect(endpoint, token);
    raw.send(large);
    await poll('the WebSocket to close', () => raw.closed);
  });

  test('is refused over long-polling', async () => {
    const opened = await rawRequest(endpoint, { path: '/socket.io/?EIO=4&transport=polling' });
    const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string };
    const post = (body: string) =>
      rawRequest(endpoint, {
        path: `/socket.io/?EIO=4&transport=polling&sid=${encodeURIComponent(sid)}`,
        method: 'POST',
        headers: { 'content-type': 'text/plain;charset=UTF-8' },
        body,
      });
    assert.equal((await post(`40${JSON.stringify({ token })}`)).status, 200);
    const outcome = await post(large).then(
      ({ status }) => status,
      () => 'closed' as const,
    );
    assert(outcome === 'closed' || outcome >= 400, `answered ${outcome}`);
  });
});

describe('after all malformed input', () => {
  test('nothing is stored, no process restarted, and chat works', async () => {
    const [first] = witnesses;
    assert(first !== undefined);
    assert.deepEqual((await first.ok('history:read', { room })).messages, []);
    await first.ok('message:send', { room, clientMsgId: newId(), text: 'well' });
    for (const witness of witnesses) await witness.until(room, 1);
    assert.equal(await pidsNow(), pids);
    await assertAllLive();
  });
});
