import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  archiverEnvironment,
  drainWithinMs,
  edgeConnectOrigins,
  edgeTrustedProxies,
  gatewayEnvironment,
  parseFilesMax,
  presenceEnvironment,
  publicEndpoint,
  redisMaxMemory,
} from './settings.ts';

const secrets = {
  redisAdminPassword: 'a',
  redisMaruPassword: 'b',
  redisArchiverPassword: 'c',
  postgresAdminPassword: 'd',
  postgresMaruPassword: 'e',
  jwtSecret: 'made-jwt',
  guestSecret: 'made-guest',
  internalSecret: 'made-internal',
};
const made = { redisUrl: 'redis://made', postgresUrl: 'postgres://made', presenceUrl: 'http://made', secrets };

describe('the environment of services', () => {
  it('contains the settings of the user, except addresses', () => {
    const environment = gatewayEnvironment(
      {
        MARU_JWT_SECRET: 'mine',
        MARU_GUESTS: 'off',
        MARU_REDIS_URL: 'redis://theirs',
        MARU_LOG_LEVEL: 'debug',
        MARU_GUEST_SECRET: '',
      },
      made,
    );
    assert.equal(environment.MARU_JWT_SECRET, 'mine');
    assert.equal(environment.MARU_GUEST_SECRET, 'made-guest');
    assert.equal(environment.MARU_GUESTS, 'off');
    assert.equal(environment.MARU_LOG_LEVEL, 'debug');
    assert.equal(environment.MARU_REDIS_URL, 'redis://made');
    assert.equal(environment.MARU_TRUSTED_PROXIES, '127.0.0.1');
  });

  it('contains no generated secret if a key set verifies tokens', () => {
    assert.equal(gatewayEnvironment({ MARU_JWKS_URL: 'https://keys' }, made).MARU_JWT_SECRET, undefined);
    assert.equal(
      gatewayEnvironment({ MARU_JWKS_URL: 'https://keys', MARU_JWT_SECRET: 'x' }, made).MARU_JWT_SECRET,
      'x',
    );
    assert.equal(gatewayEnvironment({}, made).MARU_JWT_SECRET, 'made-jwt');
  });

  it('names PostgreSQL with the archive only', () => {
    const theirs = { MARU_POSTGRES_URL: 'postgres://theirs', MARU_INTERNAL_SECRET: 'mine' };
    assert.equal(gatewayEnvironment(theirs, made).MARU_POSTGRES_URL, 'postgres://made');
    assert.equal(gatewayEnvironment(theirs, { ...made, postgresUrl: null }).MARU_POSTGRES_URL, undefined);
    assert.equal(presenceEnvironment(theirs, made).MARU_POSTGRES_URL, undefined);
    const archiver = archiverEnvironment({ ...theirs, MARU_JWT_SECRET: 'mine' }, made);
    assert.deepEqual([archiver.MARU_POSTGRES_URL, archiver.MARU_REDIS_URL], ['postgres://made', 'redis://made']);
    assert.deepEqual([archiver.MARU_JWT_SECRET, archiver.MARU_INTERNAL_SECRET], [undefined, undefined]);
  });

  it('allows guests by default', () => {
    assert.equal(gatewayEnvironment({}, made).MARU_GUESTS, 'on');
  });

  it('of presence contains neither token keys nor npm settings', () => {
    const environment = presenceEnvironment({ MARU_JWT_SECRET: 'mine', npm_config_token: 'x', PATH: '/bin' }, made);
    assert.equal(environment.MARU_JWT_SECRET, undefined);
    assert.equal(environment.npm_config_token, undefined);
    assert.equal(environment.PATH, '/bin');
    assert.equal(environment.MARU_INTERNAL_SECRET, 'made-internal');
  });
});

it('the deadline of a drain follows the settings of the gateways', () => {
  assert.equal(drainWithinMs({}), 60_000);
  assert.equal(drainWithinMs({ MARU_DRAIN_WAIT_MS: '5000', MARU_DRAIN_SPREAD_MAX_MS: '600000' }), 645_000);
});

it('the endpoint is the address that users open', () => {
  assert.equal(publicEndpoint('', 8080), 'http://localhost:8080');
  assert.equal(publicEndpoint('127.0.0.1', 80), 'http://localhost');
  assert.equal(publicEndpoint('192.0.2.1', 9000), 'http://192.0.2.1:9000');
  assert.equal(publicEndpoint('2001:db8::1', 9000), 'http://[2001:db8::1]:9000');
});

it('reads the limit of open files', () => {
  assert.equal(parseFilesMax('Max open files            1024                 4096                 files'), 4_096);
  assert.equal(parseFilesMax('Max open files            1024                 unlimited            files'), 65_536);
});

it('rejects a memory size that Redis would not understand', () => {
  assert.equal(redisMaxMemory({}), '512mb');
  assert.equal(redisMaxMemory({ MARU_REDIS_MAXMEMORY: '2GB' }), '2GB');
  for (const raw of ['0', 'lots', '1 gb', '1gb\nappendonly no'])
    assert.throws(() => redisMaxMemory({ MARU_REDIS_MAXMEMORY: raw }), /must be a size/);
});

it('the proxies that nginx trusts are addresses or networks', () => {
  assert.deepEqual(edgeTrustedProxies({}), []);
  const listed = edgeTrustedProxies({ MARU_EDGE_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,fd00::/8,' });
  assert.deepEqual(listed, ['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
  for (const raw of ['all', '10.0.0.0/x', '10.0.0/8', '1.2.3.4/8/8', '1.2.3.4; root /'])
    assert.throws(() => edgeTrustedProxies({ MARU_EDGE_TRUSTED_PROXIES: raw }), /must be a list of addresses/, raw);
});

it('the page may call the provider, and nothing else that is not listed', () => {
  assert.deepEqual(edgeConnectOrigins({}), []);
  assert.deepEqual(edgeConnectOrigins({ MARU_OIDC_ISSUER: 'https://login.example.com/realms/a' }), [
    'https://login.example.com',
  ]);
  const listed = {
    MARU_OIDC_ISSUER: 'https://a.example',
    MARU_EDGE_CONNECT_ORIGINS: 'https://b.example, http://[::1]:9,',
  };
  assert.deepEqual(edgeConnectOrigins(listed), ['https://b.example', 'http://[::1]:9']);
  for (const raw of ["'unsafe-inline'", 'https://a.example; script-src *', '*', 'https://*', 'https://a/b'])
    assert.throws(() => edgeConnectOrigins({ MARU_EDGE_CONNECT_ORIGINS: raw }), /must be a list of origins/, raw);
});

it('only gateways get the password of the directory', () => {
  const theirs = { MARU_LDAP_BIND_PASSWORD: 'secret', MARU_LDAP_URLS: 'ldaps://a', MARU_JWKS_URL: 'https://keys' };
  assert.equal(gatewayEnvironment(theirs, made).MARU_LDAP_BIND_PASSWORD, 'secret');
  assert.equal(gatewayEnvironment(theirs, made).MARU_JWT_SECRET, 'made-jwt');
  for (const environment of [presenceEnvironment(theirs, made), archiverEnvironment(theirs, made)])
    assert.equal(environment.MARU_LDAP_BIND_PASSWORD, undefined);
});
