import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { type ConnectOptions, connect, Refused, type TestClient } from '../support/client.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, mintToken, newRoom, unsignedToken } from '../support/tokens.ts';

const cluster = await sharedCluster();
const open: TestClient[] = [];
after(() => {
  for (const client of open) client.close();
});

const alice = { sub: 'alice', name: 'Alice' };
const now = () => Math.floor(Date.now() / 1000);

async function assertRefused(options: ConnectOptions, what: string): Promise<void> {
  const { endpoint } = cluster;
  const error = await connect(endpoint, options).then(
    (client) => {
      client.close();
      return undefined;
    },
    (reason: unknown) => reason,
  );
  assert(error instanceof Refused, `${what}: ${error === undefined ? 'the connection was accepted' : error}`);
  assert.equal(error.code, 'unauthenticated', what);
}

async function assertRefusedByHttp(token: string, what: string): Promise<void> {
  const response = await fetch(`${cluster.endpoint}/api/v1/rooms`, { headers: { authorization: `Bearer ${token}` } });
  const body = (await response.json()) as { code?: string };
  assert.equal(response.status, 401, what);
  assert.equal(body.code, 'unauthenticated', what);
}

function rsaToken(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ ...alice, exp: now() + 3600 })}`;
  return `${body}.${sign('sha256', Buffer.from(body), privateKey).toString('base64url')}`;
}

/** Invalid tokens, by the kind of error. */
function badTokens(secret: string, guestToken: string): Record<string, string> {
  const [head = '', claims = '', signature = ''] = guestToken.split('.');
  const other = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), name: 'Other' }),
  ).toString('base64url');
  const embedded = { kty: 'oct', k: Buffer.from('attacker').toString('base64url') };
  return {
    'an empty string': '',
    garbage: 'garbage',
    'three dots': '...',
    'a long string': 'x'.repeat(60_000),
    'alg none': unsignedToken(alice),
    'alg none, signed': mintToken(secret, alice, { alg: 'none' }),
    'alg nOnE': mintToken('', alice, { alg: 'nOnE' }),
    'no alg': mintToken(secret, alice, { typ: 'JWT' }),
    'another secret': mintToken('another-secret-0123456789abcdefghij', alice),
    'an empty secret': mintToken('', alice),
    'RS256 signed with an unknown key': rsaToken(),
    'RS256 in the header, signed with HMAC': mintToken(secret, alice, { alg: 'RS256', typ: 'JWT' }),
    'a key id that is a file path': mintToken('', alice, { alg: 'HS256', kid: '../../../../dev/null' }),
    'a key in the header': mintToken('attacker', alice, { alg: 'HS256', jwk: embedded }),
    'a critical extension': mintToken(secret, alice, { alg: 'HS256', crit: ['b64x'], b64x: true }),
    expired: mintToken(secret, { ...alice, exp: now() - 120 }),
    'expired long ago': mintToken(secret, { ...alice, exp: 1 }),
    'not yet valid': mintToken(secret, { ...alice, nbf: now() + 3600 }),
    'an exp that is not a number': mintToken(secret, { ...alice, exp: 'tomorrow' }),
    'no sub': mintToken(secret, { name: 'Alice' }),
    'an empty sub': mintToken(secret, { ...alice, sub: '' }),
    'a sub that is not a string': mintToken(secret, { ...alice, sub: { id: 'alice' } }),
    'a sub of 1,000 characters': mintToken(secret, { ...alice, sub: 'a'.repeat(1_000) }),
    'a guest id that the cluster did not create': mintToken(secret, { ...alice, sub: 'guest-mine' }),
    "a guest's token with changed claims": `${head}.${other}.${signature}`,
    "a guest's token with a truncated signature": `${head}.${claims}.${signature.slice(0, -4)}`,
    "a guest's token without a signature": `${head}.${claims}.`,
    'a payload that is not an object': mintToken(secret, alice).replace(
      /\.[^.]+\./,
      `.${Buffer.from('[]').toString('base64url')}.`,
    ),
  };
}

describe('a connection', () => {
  test('is refused as unauthenticated when auth.token is absent or not a string', async () => {
    const { endpoint } = cluster;
    await assertRefused({ auth: {} }, 'no token');
    for (const token of [undefined, null, 5, true, {}, [], ['x'], { toString: 'x' }])
      await assertRefused({ auth: { token } }, JSON.stringify({ token }));
    const { token } = await createGuest(endpoint);
    await assertRefused({ auth: { token: [token] } }, 'a token in an array');
    await assertRefused({ auth: { token: `Bearer ${token}` } }, 'a token with a scheme');
    await assertRefused({ auth: {}, headers: { authorization: `Bearer ${token}` } }, 'a token in a header');
    await assertRefused({ auth: {}, transports: ['polling'] }, 'no token, polling');
  });

  test('is refused with every kind of invalid token, and so is an HTTP call', async () => {
    const { endpoint, jwtSecret } = cluster;
    const guest = await createGuest(endpoint);
    for (const [what, token] of Object.entries(badTokens(jwtSecret, guest.token))) {
      await assertRefused({ token }, what);
      if (token.length < 4_000) await assertRefusedByHttp(token, what);
    }
  });

  test('is accepted with a valid token, over both transports and on every gateway', async () => {
    const { endpoint, jwtSecret } = cluster;
    const addresses = [endpoint, ...(await cluster.gateways()).map(({ address }) => address)];
    for (const address of addresses)
      for (const transport of ['websocket', 'polling'] as const) {
        const token = mintToken(jwtSecret, { ...alice, name: '앨리스', roles: ['admin', 'other'] });
        const client = await connect(address, { token, transports: [transport] });
        open.push(client);
        assert.equal(client.session.user.id, 'alice');
        assert.equal(client.session.user.name, '앨리스');
        await client.ok('room:join', { room: newRoom() });
      }
  });

  test('takes the identity only from the token', async () => {
    const { endpoint, jwtSecret } = cluster;
    const client = await connect(endpoint, {
      auth: { token: mintToken(jwtSecret, alice), user: { id: 'root' }, sub: 'root', name: 'Root', roles: ['admin'] },
    });
    open.push(client);
    assert.deepEqual([client.session.user.id, client.session.user.name], ['alice', 'Alice']);
  });
});

describe('an HTTP call', () => {
  test('is refused without a bearer token', async () => {
    const { endpoint } = cluster;
    const { token } = await createGuest(endpoint);
    const calls: Array<[method: string, path: string]> = [
      ['GET', '/rooms'],
      ['GET', '/rooms/lobby/messages'],
      ['POST', '/rooms/lobby/messages'],
      ['GET', '/rooms/lobby/presence'],
    ];
    for (const [method, path] of calls)
      for (const authorization of [
        undefined,
        '',
        'Bearer',
        'Bearer ',
        token,
        `Basic ${token}`,
        `Bearer ${token} x`,
        `Token ${token}`,
      ]) {
        const response = await fetch(`${endpoint}/api/v1${path}`, {
          method,
          headers: authorization === undefined ? {} : { authorization },
        });
        assert.equal(response.status, 401, `${method} ${path} with ${authorization?.slice(0, 12)}`);
        assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
        assert.equal(((await response.json()) as { code: string }).code, 'unauthenticated');
      }
    const inQuery = await fetch(`${endpoint}/api/v1/rooms?token=${token}&access_token=${token}`);
    assert.equal(inQuery.status, 401, 'a token in the URL must not be accepted, because URLs are logged');
  });
});
