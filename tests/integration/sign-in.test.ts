/** Accounts of a real directory: who may sign in, with which roles, and for how long. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accountKeyOf, issueAccount } from '../../services/gateway/src/identity/own-tokens.ts';
import { connect } from '../support/client.ts';
import { type Gateways, SECRET, startGateways, tokenOf } from '../support/gateways.ts';
import { assertProblem, call, type Problem } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { directorySettings, groupDn, personDn, type Slapd, startSlapd, withoutSlapd } from '../support/slapd.ts';

interface SignedIn {
  token: string;
  user: { id: string; name: string };
  expiresAt: number;
}

const TOKEN_S = 60;

const skip = withoutSlapd();
let slapd: Slapd;
let site: Gateways;
before(async () => {
  if (skip !== false) return;
  slapd = await startSlapd();
  await slapd.addPerson('mina', { displayName: '김미나' });
  await slapd.addPerson('root', { mail: 'root@example.com' });
  await slapd.addPerson('chief');
  await slapd.addPerson('outside');
  await slapd.addPerson('leaver');
  await slapd.addPerson('traveller');
  await slapd.addPerson('guest-1');
  await slapd.addPerson('disabled', { userAccountControl: '514' });
  await slapd.addPerson('locked', { nsAccountLock: 'TRUE' });
  await slapd.addPerson('expired', { shadowExpire: '19000' });
  await slapd.addPerson('active', { userAccountControl: '512', accountExpires: '0', shadowExpire: '-1' });
  await slapd.addPerson('*', { cn: 'a star' });
  // Groups in groups, in a circle: root is in the department, too.
  const inner = await slapd.addGroup('team', [
    personDn('mina'),
    personDn('leaver'),
    personDn('traveller'),
    personDn('active'),
  ]);
  const middle = await slapd.addGroup('department', [inner]);
  const chat = await slapd.addGroup('chat', [middle, personDn('root'), personDn('chief'), personDn('*')]);
  await slapd.modify(inner, 'add', { member: [chat] });
  for (const uid of ['disabled', 'locked', 'expired', 'guest-1'])
    await slapd.modify(groupDn('team'), 'add', { member: [personDn(uid)] });
  await slapd.addGroup('admins', [personDn('root'), personDn('chief')]);
  site = await startGateways({
    environment: {
      ...directorySettings(slapd),
      MARU_LDAP_LOGIN_ATTRIBUTES: 'uid,mail',
      MARU_LDAP_ALLOWED_GROUPS: 'CN=Chat, OU=groups, DC=example,DC=com',
      MARU_LDAP_ROLES: `admin=${groupDn('admins')}; staff=${groupDn('department')}`,
      MARU_SIGN_IN_TOKEN_S: String(TOKEN_S),
      MARU_SIGN_IN_REFUSAL_MS: '0',
      MARU_TRUSTED_PROXIES: '127.0.0.1',
    },
  });
});
after(async () => {
  await site?.stop();
  await slapd?.stop();
});

const url = () => site.gateways[0]?.url ?? assert.fail('no gateway');
const signIn = (username: unknown, password: unknown, address = '192.0.2.1') =>
  call<SignedIn>(url(), '/sign-in', {
    method: 'POST',
    headers: { 'x-forwarded-for': address },
    body: { username, password },
  });
const renew = (token: string) => call<SignedIn>(url(), '/sign-in/renew', { method: 'POST', token });
const rolesOf = async (token: string) => {
  const client = await connect(url(), { token });
  const { roles } = client.session.user as { roles: string[] };
  client.close();
  return roles;
};
const audited = async (user: string) => {
  const token = tokenOf('auditor', { roles: ['admin'] });
  const path = `/admin/audit?kind=sign-ins&user=${encodeURIComponent(user)}`;
  const { body } = await call<{ events: Array<Record<string, unknown>> }>(url(), path, { token });
  return body.events.map(({ action, outcome, reason }) => [action, outcome, reason].filter(Boolean).join(' '));
};

describe('signing in with an account of a directory', { skip }, () => {
  test('auth/config shows that there is a directory', async () => {
    const { body } = await call(url(), '/auth/config');
    assert.deepEqual(body, { guests: false, ldap: true, oidc: null });
  });

  test('a member of a group nested in an allowed group gets a short-lived token, a name and roles', async () => {
    const before = Date.now();
    const { status, body } = await signIn('MINA', 'mina');
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.user, { id: 'mina', name: '김미나' });
    assert.ok(Math.abs(body.expiresAt - before - TOKEN_S * 1_000) < 5_000, String(body.expiresAt));
    assert.deepEqual(await rolesOf(body.token), ['staff']);
    const root = await signIn('root@example.com', 'root');
    assert.deepEqual([root.body.user.id, await rolesOf(root.body.token)], ['root', ['admin', 'staff']]);
    await poll('the audit', async () => (await audited('root')).length > 0);
    assert.deepEqual(await audited('root'), ['sign-in.ldap ok']);
  });

  test('an unknown name and a wrong password get the same answer', async () => {
    const [unknown, wrong] = [await signIn('nobody', 'mina'), await signIn('mina', 'wrong')];
    assertProblem(unknown, 401, 'unauthenticated');
    assert.deepEqual(wrong.body, unknown.body);
    assert.equal(wrong.status, unknown.status);
    await poll('the audit', async () => (await audited('mina'))[0] === 'sign-in.ldap unauthenticated password');
  });

  test('a user who is in no allowed group, or disabled, is refused, and operators see why', async () => {
    assert.equal((await signIn('active', 'active')).status, 200);
    const refused: Array<[uid: string, reason: string]> = [
      ['outside', 'group'],
      ['disabled', 'disabled'],
      ['locked', 'disabled'],
      ['expired', 'disabled'],
    ];
    for (const [uid, reason] of refused) {
      assertProblem(await signIn(uid, uid), 403, 'forbidden', uid);
      await poll('the audit', async () => (await audited(uid)).includes(`sign-in.ldap forbidden ${reason}`));
      assertProblem(await signIn(uid, 'wrong'), 401, 'unauthenticated', uid);
    }
    assertProblem(await signIn('guest-1', 'guest-1'), 401, 'unauthenticated');
  });

  test('an empty password is refused before the directory is asked', async () => {
    const before = await slapd.counts();
    for (const password of ['', undefined, null, 5, ['mina'], '\0', '\0mina'])
      assertProblem(await signIn('mina', password), 400, 'invalid', JSON.stringify(password));
    assertProblem(await signIn('', 'mina'), 400, 'invalid');
    assertProblem(await signIn('mi\0na', 'mina'), 400, 'invalid');
    assert.deepEqual(await slapd.counts(), before);
  });

  test('the typed name is treated as a value, never as a filter or as the name of an entry', async () => {
    const names = [
      'mi*',
      '*)(uid=*',
      'mina)(|(uid=*',
      'mina)(&)',
      '\\6dina',
      personDn('mina'),
      'uid=mina',
      'mina,ou=people',
    ];
    for (const name of names) assertProblem(await signIn(name, 'mina'), 401, 'unauthenticated', name);
    // A star is a normal name.
    const star = await signIn('*', '*');
    assert.deepEqual([star.status, star.body.user?.id], [200, '*']);
  });
});

describe('the token of an account', { skip }, () => {
  test('a token is renewed with the current roles, but not with another kind of token', async () => {
    const first = await signIn('root', 'root');
    await slapd.modify(groupDn('admins'), 'add', { member: [personDn('mina')] });
    await slapd.modify(groupDn('admins'), 'delete', { member: [personDn('root')] });
    const second = await renew(first.body.token);
    assert.equal(second.status, 200, JSON.stringify(second.body));
    assert.deepEqual(await rolesOf(second.body.token), ['staff']);
    assertProblem(await renew(tokenOf('root')), 403, 'forbidden');
    assertProblem(await renew('nonsense'), 401, 'unauthenticated');
    const me = await call(url(), '/me', { token: second.body.token });
    const { user, expiresAt: until } = second.body;
    assert.deepEqual(me.body, { user: { ...user, roles: ['staff'] }, expiresAt: until });
    const client = await connect(url(), { token: first.body.token });
    const { expiresAt } = await client.ok('auth:renew', { token: second.body.token });
    assert.equal(expiresAt, second.body.expiresAt);
    client.close();
  });

  test('a user who leaves the group, is disabled or removed while online gets no new token', async () => {
    const { body } = await signIn('leaver', 'leaver');
    assert.equal((await renew(body.token)).status, 200);
    await slapd.modify(personDn('leaver'), 'add', { userAccountControl: ['514'] });
    assertProblem(await renew(body.token), 401, 'unauthenticated');
    await slapd.modify(personDn('leaver'), 'replace', { userAccountControl: ['512'] });
    assert.equal((await renew(body.token)).status, 200);
    await slapd.modify(groupDn('team'), 'delete', { member: [personDn('leaver')] });
    const refused = await renew(body.token);
    assertProblem(refused, 401, 'unauthenticated');
    assert.match((refused.body as unknown as Problem).detail ?? '', /account/);
    await slapd.remove(personDn('leaver'));
    assertProblem(await renew(body.token), 401, 'unauthenticated');
    await poll('the audit', async () => (await audited('leaver')).includes('sign-in.renew unauthenticated group'));
  });

  test('a user signs out everywhere with an expired token, and no token that is renewed is younger than that', async () => {
    const { token } = (await signIn('traveller', 'traveller')).body;
    const client = await connect(url(), { token });
    const hourAgo = Date.now() - 3_600_000;
    const expired = await issueAccount(
      accountKeyOf(SECRET),
      { id: 'traveller', name: 'Traveller', roles: [] },
      { lifetimeS: TOKEN_S, signedInAtS: Math.floor(hourAgo / 1_000), now: () => hourAgo },
    );
    assertProblem(await call(url(), '/me', { token: expired.token }), 401, 'unauthenticated');
    assert.equal((await call(url(), '/sign-out', { method: 'POST', token: expired.token })).status, 200);
    await poll('the end of the connection', () => !client.socket.connected);
    // As a gateway renews that does not know of it yet.
    const renewed = await issueAccount(
      accountKeyOf(SECRET),
      { id: 'traveller', name: 'Traveller', roles: [] },
      { lifetimeS: TOKEN_S, signedInAtS: Math.floor(hourAgo / 1_000), now: () => Date.now() + 2_000 },
    );
    for (const dead of [token, renewed.token]) assertProblem(await renew(dead), 401, 'unauthenticated');
  });

  test('an administrator who leaves the group or is disabled is refused while the token is valid', async () => {
    const { token } = (await signIn('chief', 'chief')).body;
    const calls: Array<[path: string, options: { method?: string; body?: unknown }]> = [
      ['/admin/nodes', {}],
      ['/admin/announcements', { method: 'POST', body: { text: 'x' } }],
      ['/admin/users/mina/revoke', { method: 'POST' }],
    ];
    const status = async () => (await call(url(), '/admin/nodes', { token })).status;
    assert.equal(await status(), 200);
    await slapd.modify(groupDn('admins'), 'delete', { member: [personDn('chief')] });
    await poll('the role to be gone', async () => (await status()) === 403);
    for (const [path, options] of calls)
      assertProblem(await call(url(), path, { token, ...options }), 403, 'forbidden', path);
    assert.equal((await call(url(), '/me', { token })).status, 200);
    await slapd.modify(groupDn('admins'), 'add', { member: [personDn('chief')] });
    await poll('the role to be back', async () => (await status()) === 200);
    await slapd.modify(personDn('chief'), 'add', { userAccountControl: ['514'] });
    await poll('the disabled account to be refused', async () => (await status()) === 403);
  });

  test('an administrator can continue with the token while no server answers', async () => {
    await slapd.modify(personDn('chief'), 'replace', { userAccountControl: ['512'] });
    const { token } = (await signIn('chief', 'chief')).body;
    await poll('the role to be seen', async () => (await call(url(), '/admin/nodes', { token })).status === 200);
    await slapd.kill();
    assert.equal((await call(url(), '/admin/nodes', { token })).status, 200);
    await slapd.restart();
  });

  test('while no server answers, a sign-in is unavailable and does not count as a failure', async () => {
    const { body } = await signIn('mina', 'mina');
    await slapd.kill();
    for (let n = 0; n < 8; n++) assertProblem(await signIn('mina', 'mina'), 503, 'unavailable');
    assertProblem(await renew(body.token), 503, 'unavailable');
    await slapd.restart();
    assert.equal((await signIn('mina', 'mina')).status, 200);
  });
});

test('a flood of wrong passwords is limited at its address, and does not lock the person out elsewhere', {
  skip,
}, async () => {
  const flooder = '203.0.113.9';
  const beganAtMs = performance.now();
  for (const name of ['mina', 'nobody']) {
    const before = await slapd.counts();
    const answers = await Promise.all(Array.from({ length: 40 }, () => signIn(name, 'wrong', flooder)));
    // The first wait is a second, so on a slow machine one or two more are tried.
    const tried = answers.filter(({ status }) => status === 401).length;
    assert.ok(tried >= 5 && tried <= 8, `${tried} of ${name}`);
    assert.equal(answers.filter(({ status }) => status === 429).length, 40 - tried, name);
    const limited = answers.find(({ status }) => status === 429);
    assertProblem(limited ?? assert.fail(), 429, 'rate_limited');
    assert.ok(Number(limited?.headers.get('retry-after')) >= 1);
    assert.ok((await slapd.counts()).binds - before.binds <= 2 * tried, name);
  }
  // 401 if the wait for the name is over, and that for the account is not. Waits take a second.
  const { status } = await signIn('mina', 'mina', flooder);
  assert.ok([401, 429].includes(status) || performance.now() - beganAtMs > 1_000, `answered ${status}`);
  assert.equal((await signIn('mina', 'mina')).status, 200);
  assert.equal((await signIn('root', 'root', flooder)).status, 200);
  const token = tokenOf('auditor', { roles: ['admin'] });
  const { body } = await call<{ events: Array<Record<string, unknown>> }>(
    url(),
    '/admin/audit?kind=sign-ins&limit=200',
    { token },
  );
  const floods = body.events.filter(({ address }) => address === flooder).map(({ by, outcome }) => `${by} ${outcome}`);
  for (const line of ['mina unauthenticated', '- unauthenticated', '- rate_limited', 'root ok'])
    assert.ok(floods.includes(line), line);
  assert.doesNotMatch(JSON.stringify(body) + site.gateways[0]?.output(), /wrong/);
});
