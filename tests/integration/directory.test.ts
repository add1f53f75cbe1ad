/** Communication of gateways with directory servers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MaruError } from '@maru/protocol';
import { createLogger } from '@maru/service-kit';
import { readGatewayConfig } from '../../services/gateway/src/config.ts';
import { createDirectory } from '../../services/gateway/src/wiring/sign-in.ts';
import { makeCertificates } from '../support/certificates.ts';
import { SECRET } from '../support/gateways.ts';
import {
  BASE,
  directorySettings,
  groupDn,
  PEOPLE,
  personDn,
  type Slapd,
  startSlapd,
  withoutSlapd,
} from '../support/slapd.ts';

const skip = withoutSlapd();
const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const GUID = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
let slapd: Slapd;
/** A server that accepts connections and sends nothing. */
let mute: Server;
let muteConnections = 0;
const sockets = new Set<Socket>();
const temporary = mkdtempSync(path.join(tmpdir(), 'maru-directory-'));

before(async () => {
  mute = createServer((socket) => {
    muteConnections++;
    sockets.add(socket.on('error', () => {}));
  });
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  if (skip !== false) return;
  slapd = await startSlapd();
  await slapd.addPerson('mina', { mail: 'shared@example.com' });
  await slapd.addPerson('joon', { mail: 'shared@example.com' });
  await slapd.addGroup('team', [personDn('mina')]);
  await slapd.addGroup('chat', [groupDn('team')]);
  await slapd.add(groupDn('posix'), { objectClass: 'posixGroup', cn: 'posix', gidNumber: '1', memberUid: 'mina' });
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  mute.close();
  rmSync(temporary, { recursive: true, force: true });
  await slapd?.stop();
});

const muteUrl = () => `ldaps://127.0.0.1:${(mute.address() as { port: number }).port}`;

function open(settings: Record<string, string> = {}) {
  const config = readGatewayConfig({
    MARU_NODE: 'n',
    MARU_REDIS_URL: 'redis://localhost',
    MARU_PRESENCE_URL: 'http://localhost',
    MARU_INTERNAL_SECRET: SECRET,
    MARU_JWT_SECRET: SECRET,
    ...directorySettings(slapd),
    MARU_LDAP_DEADLINE_MS: '500',
    ...settings,
  });
  const directory =
    createDirectory({ config, logger, now: () => performance.now(), storeNow: Date.now }) ?? assert.fail('none');
  const signIn = async (username: string, password = username) => {
    const outcome = await directory.signIn({ username, password }, async () => true);
    return outcome.ok ? outcome.account.id : outcome.reason;
  };
  return { directory, signIn };
}

describe('the connection to a server', { skip }, () => {
  test('uses TLS from the start, or StartTLS', async () => {
    for (const url of [slapd.ldapsUrl, slapd.ldapUrl]) {
      const { signIn, directory } = open({ MARU_LDAP_URLS: url });
      assert.deepEqual(
        [await signIn('mina'), await signIn('mina', 'wrong'), await signIn('mina')],
        [...['mina', 'password', 'mina']],
      );
      await directory.close();
    }
  });

  test('sends no password to a server with a certificate of another authority, or for another name', async () => {
    const before = await slapd.counts();
    const stranger = makeCertificates(path.join(temporary, 'stranger'), 'IP:127.0.0.1');
    const misnamed = slapd.ldapsUrl.replace('127.0.0.1', 'localhost');
    for (const settings of [
      { MARU_LDAP_CA: stranger.ca },
      { MARU_LDAP_CA: stranger.ca, MARU_LDAP_URLS: slapd.ldapUrl },
      { MARU_LDAP_URLS: misnamed },
      { MARU_LDAP_URLS: slapd.ldapUrl.replace('127.0.0.1', 'localhost') },
    ])
      await assert.rejects(open(settings).signIn('mina'), { message: /no server of the directory answers/ });
    assert.equal((await slapd.counts()).binds, before.binds);
  });

  test('is without TLS only to this machine, and only if the settings allow that', async () => {
    const plain = { MARU_LDAP_PLAIN: 'on', MARU_LDAP_URLS: slapd.ldapUrl };
    assert.equal(await open(plain).signIn('mina'), 'mina');
    assert.throws(() => open({ ...plain, MARU_LDAP_URLS: 'ldap://dc1.example.com' }), /MARU_LDAP_PLAIN/);
  });

  test('goes to the next server if one is down, silent or invalid, and then avoids that one for a while', async () => {
    const before = muteConnections;
    const { signIn } = open({ MARU_LDAP_URLS: `ldaps://127.0.0.1:9,${muteUrl()},${slapd.ldapsUrl}` });
    for (let n = 0; n < 3; n++) assert.equal(await signIn('mina'), 'mina');
    assert.equal(muteConnections, before + 1);
  });

  test('is tried again after the server restarted, and concurrent sign-ins share few connections', async () => {
    const { signIn } = open({ MARU_LDAP_CONNECTIONS_MAX: '2' });
    const all = await Promise.all(Array.from({ length: 20 }, () => signIn('mina')));
    assert.deepEqual(new Set(all), new Set(['mina']));
    await slapd.restart();
    assert.equal(await signIn('mina'), 'mina');
  });

  test('has a deadline, after which no user is refused permanently', async () => {
    const { signIn, directory } = open();
    assert.equal(await signIn('mina'), 'mina');
    await slapd.pause();
    try {
      await assert.rejects(signIn('mina'), { name: 'Error' });
      await assert.rejects(directory.find('mina'), { name: 'Error' });
    } finally {
      slapd.resume();
    }
    assert.equal(await signIn('mina'), 'mina');
  });
});

describe('an account', { skip }, () => {
  test('is not found if a name matches two, and its id is the same for each of its names', async () => {
    const { signIn } = open({ MARU_LDAP_LOGIN_ATTRIBUTES: 'uid,mail' });
    assert.deepEqual([await signIn('shared@example.com', 'mina'), await signIn('mina')], ['unknown', 'mina']);
  });

  test('binds by its name, and a typed name cannot extend the name of an entry', async () => {
    const { signIn } = open({
      MARU_LDAP_BIND_AS: `uid={username},${PEOPLE}`,
      MARU_LDAP_BIND_DN: '',
      MARU_LDAP_BIND_PASSWORD: '',
    });
    assert.equal(await signIn('mina'), 'mina');
    assert.equal(await signIn(`Mina,${PEOPLE}`, 'mina'), 'mina');
    for (const name of ['joon', `mina,x,${PEOPLE}`, 'x+uid=mina', 'mina"', '\\6dina', 'mina\\', '#6d696e61'])
      assert.equal(await signIn(name, 'mina'), 'password', name);
    const byDomain = open({ MARU_LDAP_BIND_AS: '{username}@example.com' });
    for (const name of ['mina@other.example.com', 'OTHER\\mina', 'mi na'])
      assert.equal(await byDomain.signIn(name, 'mina'), 'unknown', name);
  });

  test('has one bound for wrong passwords, with and without the suffix of its name', async () => {
    const { directory } = open({
      MARU_LDAP_BIND_AS: `uid={username},${PEOPLE}`,
      MARU_LDAP_BIND_DN: '',
      MARU_LDAP_BIND_PASSWORD: '',
    });
    const counted: string[] = [];
    for (const username of ['mina', `MINA,${PEOPLE}`]) {
      const outcome = await directory.signIn({ username, password: 'mina' }, async (id) => counted.push(id) < 2);
      assert.equal(outcome.ok || outcome.reason, counted.length < 2 || 'paused');
    }
    assert.equal(new Set(counted).size, 1);
    assert.equal(counted.length, 2);
  });

  test('is not tried at another server because the store fails', async () => {
    const { directory, signIn } = open({ MARU_LDAP_URLS: `${slapd.ldapsUrl},${muteUrl()}` });
    const asked = muteConnections;
    const failed = new MaruError('unavailable', 'the store does not answer');
    const credentials = { username: 'mina', password: 'mina' };
    await assert.rejects(
      directory.signIn(credentials, () => Promise.reject(failed)),
      failed,
    );
    assert.equal(await signIn('mina'), 'mina');
    assert.equal(muteConnections, asked);
  });

  test('has the id that the settings say, and is found by it', async () => {
    await slapd.addPerson('guid', { objectGUID: GUID as unknown as string });
    const { signIn, directory } = open({ MARU_LDAP_ID_ATTRIBUTE: 'objectGUID' });
    const id = '00112233-4455-6677-8899-aabbccddeeff';
    assert.deepEqual([await signIn('guid'), await signIn('mina')], [id, 'unusable']);
    const found = await directory.find(id);
    assert.deepEqual(found, { ok: true, account: { id, name: 'guid', roles: [] } });
    for (const other of ['mina', '*', id.replace('0', '1'), ''])
      assert.deepEqual(await directory.find(other), { ok: false, reason: 'unknown' });
    // Directories compare less strictly, but another id is another user.
    assert.deepEqual(await open().directory.find('MINA'), { ok: false, reason: 'unknown' });
  });

  test('has the groups that its directory reports', async () => {
    const modes: Array<[settings: Record<string, string>, team: string, chat: string]> = [
      [{ MARU_LDAP_NESTED_GROUPS: 'walk' }, 'mina', 'mina'],
      // Only the overlay's memberOf, which contains no nested groups.
      [{ MARU_LDAP_NESTED_GROUPS: 'off' }, 'mina', 'group'],
      // OpenLDAP does not know the rule of Active Directory, so it admits no user.
      [{ MARU_LDAP_NESTED_GROUPS: 'chain' }, 'mina', 'group'],
    ];
    for (const [settings, team, chat] of modes) {
      const what = JSON.stringify(settings);
      assert.equal(await open({ ...settings, MARU_LDAP_ALLOWED_GROUPS: groupDn('team') }).signIn('mina'), team, what);
      assert.equal(await open({ ...settings, MARU_LDAP_ALLOWED_GROUPS: groupDn('chat') }).signIn('mina'), chat, what);
    }
    const posix = open({ MARU_LDAP_GROUP_MEMBER: 'memberUid', MARU_LDAP_ALLOWED_GROUPS: groupDn('posix') });
    assert.deepEqual([await posix.signIn('mina'), await posix.signIn('joon')], ['mina', 'group']);
    const absent = open({ MARU_LDAP_ALLOWED_GROUPS: `cn=absent,${BASE}` });
    assert.equal(await absent.signIn('mina'), 'group');
  });
});
