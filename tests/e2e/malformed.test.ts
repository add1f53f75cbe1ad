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
/** One well-behaved client on each gateway: whatever others send, they chat. */
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
  'presence:set': '"status":"away",',
  unknown: '',
};

describe('payloads that are deep', () => {
  for (const depth of [100, 1_000, 10_000, 50_000])
    test(`${depth} levels are invalid or too_large, or the transport is closed`, async () => {
      for (const [event, fields] of Object.entries(EVENTS))
        for (const payload of [
          nested(depth, '[', ']'),
          `{${fields}"deep":${nested(Math.floor(depth / 2), '{"a":', '}')}}`,
        ]) {
          const raw = await RawSocket.connect(endpoint, token);
          raw.send(`427["${event}",${payload}]`);
          const answer = await raw.frameOrEnd((frame) => frame.startsWith('437['));
          if (answer !== undefined) assert.match(answer, /"code":"(invalid|too_large)"/, `${event}: ${answer}`);
          raw.close();
        }
      await assertAllLive();
    });

  test('are refused in the handshake too', async () => {
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

/** Frames that are no packet, or not one for now. The answer, if any, and whether the transport closes is left open. */
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

describe('malformed packets', () => {
  test('before signing in harm nobody', async () => {
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
    ['at a gateway itself', 0],
  ] as const)
    test(`after signing in harm nobody, ${where}`, async () => {
      const address = gateway === undefined ? endpoint : (await cluster.gateways())[gateway]?.address;
      for (const frame of AFTER_SIGN_IN) {
        const raw = await RawSocket.connect(address ?? endpoint, token);
        raw.send(frame);
        raw.send(new Uint8Array([1, 2, 3]));
        raw.send(frame);
        // Either the connection still answers, or it was closed; it never hangs.
        raw.send(`4212["history:read",{"room":"${room}"}]`);
        await raw.frameOrEnd((answer) => answer.startsWith('4312['));
        raw.close();
      }
      await assertAllLive();
    });

  test('random ones harm nobody', async (t) => {
    const seed = Number(process.env.MARU_TEST_SEED ?? Date.now() % 1_000_000);
    t.diagnostic(`seed ${seed} (set MARU_TEST_SEED to repeat)`);
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const valid = `421["message:send",{"room":"${room}","clientMsgId":"fuzz","text":"fuzz"}]`;
    for (let round = 0; round < 60; round++) {
      const raw = await RawSocket.connect(endpoint, token);
      for (let index = 0; index < 5; index++) {
        const letters = [...valid];
        for (let change = 0; change <= random(4); change++)
          letters[random(letters.length)] = '[]{}",:0123456789-\\_'[random(20)] ?? '';
        // A text that was changed is a message like any other: only its room must stay out of reach.
        const frame = letters.join('');
        raw.send(frame.includes(room) ? frame.replaceAll(room, 'fuzzed') : frame);
      }
      raw.close();
    }
    await assertAllLive();
  });

  test('a hundred namespaces on one connection harm nobody', async () => {
    const raw = await RawSocket.connect(endpoint, token);
    for (let index = 0; index < 100; index++) raw.send(`40/namespace-${index},${JSON.stringify({ token })}`);
    raw.send(`4212["history:read",{"room":"${room}"}]`);
    await raw.frameOrEnd((answer) => answer.startsWith('4312['));
    assert(!raw.frames.some((frame) => /^40\/namespace/.test(frame)), 'there is one namespace');
    raw.close();
    await assertAllLive();
  });
});

describe('packets that are too large', () => {
  const large = `421["message:send",{"room":"${room}","clientMsgId":"large","text":"${'x'.repeat(3_000_000)}"}]`;

  test('end the WebSocket', async () => {
    const raw = await RawSocket.connect(endpoint, token);
    raw.send(large);
    await poll('the end', () => raw.closed);
  });

  test('are refused when posted', async () => {
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

describe('after all of them', () => {
  test('nothing was stored, the same processes live, and chat goes on', async () => {
    const [first] = witnesses;
    assert(first !== undefined);
    assert.deepEqual((await first.ok('history:read', { room })).messages, []);
    await first.ok('message:send', { room, clientMsgId: newId(), text: 'well' });
    for (const witness of witnesses) await witness.until(room, 1);
    assert.equal(await pidsNow(), pids);
    await assertAllLive();
  });
});
