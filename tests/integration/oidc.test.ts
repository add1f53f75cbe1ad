/**
 * Tokens of a real OpenID provider: which ones are accepted, and what they contain about the user.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connect, Refused } from '../support/client.ts';
import { type Gateways, SECRET, startGateways, tokenOf } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { AUDIENCE, CLIENT_ID, type IdentityProvider, newKey, startProvider } from '../support/identity-provider.ts';
import { poll } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';

let provider: IdentityProvider;
let site: Gateways;
before(async () => {
  provider = await startProvider();
  site = await startGateways({
    environment: {
      MARU_OIDC_ISSUER: provider.issuer,
      MARU_OIDC_CLIENT_ID: CLIENT_ID,
      MARU_OIDC_AUDIENCES: `another,${AUDIENCE}`,
      MARU_OIDC_GROUPS_CLAIM: 'realm.groups',
      MARU_OIDC_ALLOWED_GROUPS: 'chat users; chat-admins',
      MARU_OIDC_ROLES: 'admin=chat-admins',
      MARU_OIDC_NAME: 'Example Inc.',
    },
  });
});
after(async () => {
  await site?.stop();
  await provider?.stop();
});

const url = () => site.gateways[0]?.url ?? assert.fail('no gateway');
const user = { sub: 'mina', name: '김미나', realm: { groups: ['chat users'] } };
const enter = async (token: string) => {
  const client = await connect(url(), { token });
  client.close();
  return client.session.user as { id: string; name: string; roles: string[] };
};
/** The error message, or 'accepted'. */
const refusalOf = (token: string) =>
  connect(url(), { token }).then(
    (client) => {
      client.close();
      return 'accepted';
    },
    (error: Error) => (error instanceof Refused && error.code === 'unauthenticated' ? error.message : 'for now'),
  );

test('auth/config contains the provider and the parameters for the web client', async () => {
  const { body } = await call(url(), '/auth/config');
  const oidc = {
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    name: 'Example Inc.',
    scope: 'openid profile',
    token: 'access',
  };
  assert.deepEqual(body, { guests: false, ldap: false, oidc });
});

test('a user has the id, the name and the roles in the token', async () => {
  assert.deepEqual(await enter(await provider.sign(user)), { id: 'mina', name: '김미나', roles: [] });
  const admin = { sub: 'root', preferred_username: 'root', realm: { groups: ['chat-admins', 'x'] }, roles: ['other'] };
  assert.deepEqual(await enter(await provider.sign(admin, { typ: 'at+jwt' })), {
    id: 'root',
    name: 'root',
    roles: ['admin'],
  });
  // Tokens of the host application are also accepted.
  assert.equal((await enter(tokenOf('host', { roles: ['admin'] }))).id, 'host');
});

test('a token that was issued for another purpose is refused, and the audit says for which', async () => {
  const publicPem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
    type: 'spki',
    format: 'pem',
  });
  const claims = { ...user, iss: provider.issuer, aud: AUDIENCE };
  const cases: Array<[what: string, token: string, claim: RegExp]> = [
    ['another audience', await provider.sign({ ...user, aud: 'payroll' }), /check aud/],
    ['no audience', await provider.sign({ ...user, aud: undefined as unknown as string }), /check aud/],
    ['another client', await provider.sign({ ...user, azp: 'payroll-web' }), /check azp/],
    ['another client of RFC 9068', await provider.sign({ ...user, azp: undefined, client_id: 'x' }), /check azp/],
    ['no allowed group', await provider.sign({ ...user, realm: { groups: ['others'] } }), /check groups/],
    ['no groups', await provider.sign({ sub: 'mina' }), /check groups/],
    ['a logout token', await provider.sign({ ...user, events: {} }), /check typ/],
    ['a logout token by its type', await provider.sign(user, { typ: 'logout+jwt' }), /check typ/],
    ['an expired one', await provider.sign({ ...user, exp: Math.floor(Date.now() / 1_000) - 60 }), /check exp/],
    ['a guest', await provider.sign({ ...user, sub: 'guest-1' }), /check sub/],
    ['an algorithm that is not listed', await provider.sign(user, { alg: 'RS512' }), /a valid token/],
    ['the shared secret', mintToken(SECRET, claims), /a valid token/],
    ['a public key as a secret', mintToken(publicPem.toString(), claims), /a valid token/],
    ['another issuer', await provider.sign({ ...user, iss: 'https://login.example' }), /a valid token/],
  ];
  for (const [what, token, claim] of cases) assert.match(await refusalOf(token), claim, what);
  const auditor = tokenOf('auditor', { roles: ['admin'] });
  const events = async () => {
    const path = '/admin/audit?kind=sign-ins&limit=100&action=sign-in.token';
    const { body } = await call<{ events: Array<Record<string, string>> }>(url(), path, { token: auditor });
    return body.events.map(({ by, outcome, reason }) => [by, outcome, reason].filter(Boolean).join(' '));
  };
  for (const line of ['- unauthenticated aud', '- unauthenticated azp', 'mina unauthenticated groups', 'root ok'])
    await poll(`the audit to have ${line}`, async () => (await events()).includes(line));
});

test('a new key works, and while the provider is down, known keys work', async () => {
  await provider.stop();
  assert.equal((await enter(await provider.sign(user))).id, 'mina');
  const second = newKey('second');
  const early = await provider.sign(user, {}, second);
  assert.equal(await refusalOf(early), 'for now');
  await provider.start(second);
  await poll('the new key', async () => (await refusalOf(early)) === 'accepted', { timeoutMs: 20_000 });
});

test('signing out ends all connections and tokens of the user', async () => {
  const token = await provider.sign(user);
  const client = await connect(url(), { token });
  const { status } = await call(url(), '/sign-out', { method: 'POST', token });
  assert.equal(status, 200);
  await poll('the end', () => !client.connected);
  assert.ok(client.payloads<{ code: string }>('notice').some(({ code }) => code === 'revoked'));
  assert.match(await refusalOf(token), /revoked/);
});
