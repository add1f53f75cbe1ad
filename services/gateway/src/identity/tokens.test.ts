import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { KeySet } from './key-set.ts';
import { createTokens } from './tokens.ts';

const SECRET = 'a shared secret of at least 32 characters';
const secretKey = new TextEncoder().encode(SECRET);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const NOW = 1_800_000_000_000;
const nowS = NOW / 1_000;
const claims = { sub: 'u-1', name: 'Mina', exp: nowS + 3_600 };

const jwksServer = createServer(async (_request, response) => {
  const jwk = { ...(await exportJWK(rsa.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
});
let jwksUrl = '';
before(async () => {
  await new Promise<void>((resolve) => jwksServer.listen(0, '127.0.0.1', resolve));
  jwksUrl = `http://127.0.0.1:${(jwksServer.address() as AddressInfo).port}/keys`;
});
after(() => jwksServer.close());

function tokensWith(overrides: Partial<Parameters<typeof createTokens>[0]['keys']> = {}, guests = true, laterS = 0) {
  return createTokens({
    keys: { secret: SECRET, keySet: undefined, issuer: undefined, audience: undefined, ...overrides },
    guests: guests ? { secret: 'another secret of at least 32 characters' } : undefined,
    provider: undefined,
    accounts: { secret: SECRET, lifetimeS: 600, lateMaxS: 3_600 },
    lifetimeMaxS: 86_400,
    now: () => NOW + laterS * 1_000,
  });
}

const keySetAt = (url: string) =>
  new KeySet({
    locate: () => new URL(url),
    staleMaxMs: 3_600_000,
    now: () => performance.now(),
    onFetch: () => {},
    coolDownMs: 100,
  });

const hs256 = (payload: Record<string, unknown>, header: Record<string, unknown> = {}, key: Uint8Array = secretKey) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);

const refused = { name: 'MaruError', code: 'unauthenticated', message: 'a valid token is required' };
const refusedFor = (claim: string) => ({ ...refused, message: `a valid token is required: check ${claim}` });

test('a signed token gives the identity', async () => {
  const identity = await tokensWith().verify(await hs256({ ...claims, roles: ['admin', 7] }));
  const expected = { user: { id: 'u-1', name: 'Mina' }, roles: ['admin'], expiresAtS: claims.exp };
  assert.deepEqual(identity, { ...expected, issuedAtS: undefined });
});

test('the time of issue is used, unless it is in the future', async () => {
  const issuedAtS = async (iat: number) => (await tokensWith().verify(await hs256({ ...claims, iat }))).issuedAtS;
  assert.equal(await issuedAtS(nowS - 60), nowS - 60);
  assert.equal(await issuedAtS(nowS + 5), nowS + 5);
  assert.equal(await issuedAtS(nowS + 60), undefined);
  assert.equal(await issuedAtS(nowS * 1_000), undefined);
});

test('a guest token is valid if guests are on, and only the gateway issues one', async () => {
  const tokens = tokensWith();
  const guest = await tokens.issueGuest?.('손님');
  assert.match(guest?.user.id ?? '', /^guest-[\w-]{16}$/);
  assert.deepEqual((await tokens.verify(guest?.token)).user, guest?.user);
  await assert.rejects(tokensWith({}, false).verify(guest?.token), refused);
  await assert.rejects(tokens.verify(await hs256({ ...claims, sub: 'guest-1' })), refusedFor('sub'));
  await assert.rejects(tokens.verify(await hs256({ ...claims, sub: 'guest-1' }, { kid: 'maru-guest' })), refused);
});

test('a token of an account is short-lived, and can be renewed for a while after it expired', async () => {
  const account = { id: 'mina', name: 'Mina', roles: ['admin'] };
  const issued = await tokensWith().issueAccount?.(account, nowS - 60);
  assert.ok(issued);
  const { token } = issued;
  assert.deepEqual([issued.user, issued.expiresAt], [{ id: 'mina', name: 'Mina' }, (nowS + 600) * 1_000]);
  const { user, roles, signedInAtS, issuedAtS } = await tokensWith().verify(token);
  assert.deepEqual([user.id, roles, signedInAtS], ['mina', ['admin'], nowS - 60]);
  // A renewal makes no token younger than its sign-in, so a revocation reaches it.
  assert.equal(issuedAtS, nowS - 60);
  await assert.rejects(tokensWith({}, true, 610).verify(token), refusedFor('exp'));
  assert.equal((await tokensWith({}, true, 610).verify(token, true)).user.id, 'mina');
  await assert.rejects(tokensWith({}, true, 4_210).verify(token, true), refusedFor('exp'));
  // Only tokens of accounts, and only with their key, can be renewed.
  await assert.rejects(tokensWith({}, true, 7_210).verify(await hs256(claims), true), refusedFor('exp'));
  await assert.rejects(tokensWith().verify(await hs256({ ...claims, iss: 'maru-account' }, { kid: 'maru-account' })));
});

test('an invalid token is refused with a message that names the wrong claim, never its value', async () => {
  const tokens = tokensWith({ issuer: 'us', audience: 'chat' });
  const good = { ...claims, iss: 'us', aud: 'chat' };
  await tokens.verify(await hs256(good));
  const wrongClaims: Array<[claim: string, claims: Record<string, unknown>]> = [
    ['exp', { exp: nowS - 10 }],
    ['exp', { exp: nowS + 100 * 365 * 86_400 }],
    ['exp', { exp: undefined }],
    ['nbf', { nbf: nowS + 60 }],
    ['iss', { iss: 'them' }],
    ['aud', { aud: 'mail' }],
    ['sub', { sub: '' }],
    ['sub', { sub: undefined }],
    ['sub', { sub: 'a\nb' }],
    ['sub', { sub: 'guest-1' }],
    ['sub', { sub: 7 }],
  ];
  for (const [claim, wrong] of wrongClaims)
    await assert.rejects(tokens.verify(await hs256({ ...good, ...wrong })), refusedFor(claim), JSON.stringify(wrong));
});

test('times have a leeway of 5 s, with a shared secret and with a key set', async () => {
  const sign = {
    secret: (payload: Record<string, unknown>) => hs256(payload),
    keySet: (payload: Record<string, unknown>) =>
      new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(rsa.privateKey),
  };
  const tokens = tokensWith({ keySet: keySetAt(jwksUrl) });
  for (const [key, signed] of Object.entries(sign)) {
    for (const within of [{ exp: nowS - 4 }, { nbf: nowS + 5 }, { iat: nowS + 3_600 }])
      await tokens.verify(await signed({ ...claims, ...within }));
    for (const [claim, beyond] of [
      ['exp', { exp: nowS - 5 }],
      ['nbf', { nbf: nowS + 6 }],
    ] as const)
      await assert.rejects(tokens.verify(await signed({ ...claims, ...beyond })), refusedFor(claim), `${key} ${claim}`);
  }
});

test('a required issuer and audience must be in the token; it may have other audiences, too', async () => {
  for (const keys of [{ secret: SECRET }, { secret: undefined, keySet: keySetAt(jwksUrl) }]) {
    const tokens = tokensWith({ ...keys, issuer: 'us', audience: 'chat' });
    const sign = (payload: Record<string, unknown>) =>
      keys.secret === undefined
        ? new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(rsa.privateKey)
        : hs256(payload);
    await tokens.verify(await sign({ ...claims, iss: 'us', aud: ['mail', 'chat'] }));
    await assert.rejects(tokens.verify(await sign({ ...claims, aud: 'chat' })), refusedFor('iss'));
    await assert.rejects(tokens.verify(await sign({ ...claims, iss: 'us' })), refusedFor('aud'));
    await assert.rejects(tokens.verify(await sign({ ...claims, iss: 'us', aud: ['mail'] })), refusedFor('aud'));
    await assert.rejects(tokens.verify(await sign({ ...claims, iss: ['us'], aud: 'chat' })), refusedFor('iss'));
  }
});

test('a shared secret works only for HS256, and a key only for the algorithm that it names', async () => {
  const tokens = tokensWith({ keySet: keySetAt(jwksUrl) });
  for (const alg of ['HS384', 'HS512']) await assert.rejects(tokens.verify(await hs256(claims, { alg })), refused, alg);
  for (const alg of ['RS384', 'PS256']) {
    const token = await new SignJWT(claims).setProtectedHeader({ alg, kid: 'k1' }).sign(rsa.privateKey);
    await assert.rejects(tokens.verify(token), refusedFor('kid'), alg);
  }
});

test('a token without a usable name gets a name derived from its user id', async () => {
  for (const name of [undefined, null, 7, '', '  ', 'x'.repeat(65), 'a\u200fb', '\u3164']) {
    const { user } = await tokensWith().verify(await hs256({ ...claims, name }));
    assert.deepEqual(user, { id: 'u-1', name: 'u-1' }, String(name));
  }
  const { user } = await tokensWith().verify(await hs256({ ...claims, sub: 'x'.repeat(100), name: undefined }));
  assert.equal(user.name, 'x'.repeat(64));
});

test('all other invalid tokens are refused with the same message', async () => {
  const tokens = tokensWith();
  const bad: unknown[] = [
    undefined,
    null,
    '',
    7,
    {},
    'x.y.z',
    'x'.repeat(9_000),
    new UnsecuredJWT(claims).encode(),
    await hs256(claims, {}, new TextEncoder().encode('a wrong secret of at least 32 characters')),
    await hs256(claims, { kid: '../../../../dev/null' }, new Uint8Array(32)),
    `${await hs256(claims)}x`,
    `${await hs256(claims)}\n`,
    ` ${await hs256(claims)}`,
  ];
  for (const token of bad) await assert.rejects(tokens.verify(token), refused, String(token).slice(0, 40));
});

test('asymmetric tokens are checked against the key set, whose public keys are never used as a shared secret', async () => {
  const tokens = tokensWith({ secret: undefined, keySet: keySetAt(jwksUrl) });
  const rs256 = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(rsa.privateKey);
  assert.equal((await tokens.verify(rs256)).user.id, 'u-1');
  const pem = new TextEncoder().encode(rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  await assert.rejects(tokens.verify(await hs256(claims, { kid: 'k1' }, pem)), refused);
  await assert.rejects(tokens.verify(await hs256(claims)), refused);
  const unknown = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k2' }).sign(rsa.privateKey);
  await assert.rejects(tokens.verify(unknown), refusedFor('kid'));
});

test('unreachable keys are a temporary condition, not a refusal', async () => {
  const tokens = tokensWith({ secret: undefined, keySet: keySetAt('http://127.0.0.1:9/keys') });
  const rs256 = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(rsa.privateKey);
  await assert.rejects(tokens.verify(rs256), { code: 'unavailable' });
});

test('a plain HS256 token is checked synchronously; other tokens are left to jose', async (t) => {
  const verify = t.mock.method(crypto.subtle, 'verify');
  const checked = async (token: string | undefined) => {
    const before = verify.mock.callCount();
    const outcome = await tokensWith()
      .verify(token)
      .then(
        ({ user }) => user.id,
        (error: { code: string }) => error.code,
      );
    return [outcome, verify.mock.callCount() - before];
  };
  const plain = await hs256(claims, { typ: 'JWT', kid: 'ours' });
  assert.deepEqual(await checked(plain), ['u-1', 0]);
  assert.deepEqual(await checked(await hs256({ ...claims, exp: nowS - 10 })), ['unauthenticated', 0]);
  const guest = await tokensWith().issueGuest?.('Mina');
  assert.deepEqual(await checked(guest?.token), [guest?.user.id, 0]);

  assert.deepEqual(await checked(await hs256(claims, { x5t: 'a' })), ['u-1', 1]);
  assert.deepEqual(await checked(await hs256(claims, { crit: ['b64'], b64: true })), ['u-1', 1]);
  const wrongKey = new TextEncoder().encode('a wrong secret of at least 32 characters');
  assert.deepEqual(await checked(await hs256(claims, {}, wrongKey)), ['unauthenticated', 1]);
  assert.deepEqual(await checked(`${plain.slice(0, -1)}${plain.at(-1) === 'A' ? 'E' : 'A'}`), ['unauthenticated', 1]);
});
