/** Tokens of live connections: notices, renewals and ends. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createChatClient } from '@maru/client';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { poll, sleep } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';

let site: Gateways;
const open: Array<Pick<TestClient, 'close'>> = [];
before(async () => {
  site = await startGateways();
});
after(async () => {
  for (const client of open) client.close();
  await site.stop();
});

const url = () => site.gateways[0]?.url ?? assert.fail('no gateway');
/** A token that is valid for this many seconds, plus or minus one. */
const lasting = (seconds: number, claims: Record<string, unknown> = {}) =>
  tokenOf('ana', { exp: Math.ceil(Date.now() / 1_000) + seconds, ...claims });

async function enter(token: string): Promise<TestClient> {
  const client = await connect(url(), { token });
  open.push(client);
  return client;
}

// Run concurrently, because these tests mostly wait.
describe('a live connection', { concurrency: true }, () => {
  test('a renewed token keeps the connection beyond the end of the first one', async () => {
    const client = await enter(lasting(4));
    await poll('the notice', () => client.payloads<{ code: string }>('notice').some(({ code }) => code === 'expiring'));
    const expiresAtMs = (Math.ceil(Date.now() / 1_000) + 3_600) * 1_000;
    const renewed = await client.ok('auth:renew', { token: lasting(3_600) });
    assert.ok(Math.abs(renewed.expiresAt - expiresAtMs) <= 1_000, `${renewed.expiresAt}`);
    await sleep(6_000);
    assert.equal(client.connected, true);
    await client.ok('room:join', { room: 'tea' });
  });

  test('a wrong token, or one of another user, is refused and changes nothing', async () => {
    const client = await enter(lasting(4));
    const refusals: Array<[token: string, code: string]> = [
      ['nonsense', 'unauthenticated'],
      [lasting(-60), 'unauthenticated'],
      [lasting(3_600, { exp: 99_999_999_999 }), 'unauthenticated'],
      [mintToken('another-secret-0123456789abcdefghij', { sub: 'ana', name: 'ana' }), 'unauthenticated'],
      [tokenOf('joon'), 'forbidden'],
      [tokenOf('guest-1'), 'unauthenticated'],
    ];
    for (const [token, code] of refusals) {
      const ack = await client.request('auth:renew', { token });
      assert.equal(ack.ok ? 'ok' : ack.error.code, code);
    }
    await client.ok('room:join', { room: 'tea' });
    // The first token still ends the connection.
    await poll('its end', () => !client.connected);
    assert.deepEqual(client.disconnects, ['io server disconnect']);
  });

  test('a client with tokens of a few seconds stays connected, with one token for each renewal', async () => {
    let tokens = 0;
    let sessions = 0;
    let notices = 0;
    const client = createChatClient({ url: url(), getToken: () => lasting(4, { jti: ++tokens }) });
    open.push(client);
    client.on('session', () => sessions++);
    client.on('notice', ({ code }) => {
      if (code === 'expiring') notices++;
    });
    client.connect();
    await poll('three renewals', () => notices >= 3, { timeoutMs: 30_000 });
    await poll('the last of them', () => tokens === notices + 1);
    assert.deepEqual([sessions, client.connection.state], [1, 'connected']);
  });
});
