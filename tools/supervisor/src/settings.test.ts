import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  drainWithinMs,
  gatewayEnvironment,
  parseFilesMax,
  presenceEnvironment,
  publicEndpoint,
  redisMaxMemory,
} from './settings.ts';

const secrets = {
  redisAdminPassword: 'a',
  redisMaruPassword: 'b',
  jwtSecret: 'made-jwt',
  guestSecret: 'made-guest',
  internalSecret: 'made-internal',
};
const made = { redisUrl: 'redis://made', presenceUrl: 'http://made', secrets };

describe('what services are given', () => {
  it('is what a person set, apart from where things are', () => {
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

  it('is no secret of ours where tokens are checked by a key set', () => {
    assert.equal(gatewayEnvironment({ MARU_JWKS_URL: 'https://keys' }, made).MARU_JWT_SECRET, undefined);
    assert.equal(
      gatewayEnvironment({ MARU_JWKS_URL: 'https://keys', MARU_JWT_SECRET: 'x' }, made).MARU_JWT_SECRET,
      'x',
    );
    assert.equal(gatewayEnvironment({}, made).MARU_JWT_SECRET, 'made-jwt');
  });

  it('lets guests in unless told otherwise', () => {
    assert.equal(gatewayEnvironment({}, made).MARU_GUESTS, 'on');
  });

  it('holds no keys of tokens for presence, and no npm settings', () => {
    const environment = presenceEnvironment({ MARU_JWT_SECRET: 'mine', npm_config_token: 'x', PATH: '/bin' }, made);
    assert.equal(environment.MARU_JWT_SECRET, undefined);
    assert.equal(environment.npm_config_token, undefined);
    assert.equal(environment.PATH, '/bin');
    assert.equal(environment.MARU_INTERNAL_SECRET, 'made-internal');
  });
});

it('gives a drain the time that the settings of gateways give it', () => {
  assert.equal(drainWithinMs({}), 60_000);
  assert.equal(drainWithinMs({ MARU_DRAIN_WAIT_MS: '5000', MARU_DRAIN_SPREAD_MAX_MS: '600000' }), 645_000);
});

it('names the address that people open', () => {
  assert.equal(publicEndpoint('', 8080), 'http://localhost:8080');
  assert.equal(publicEndpoint('127.0.0.1', 80), 'http://localhost');
  assert.equal(publicEndpoint('192.0.2.1', 9000), 'http://192.0.2.1:9000');
  assert.equal(publicEndpoint('2001:db8::1', 9000), 'http://[2001:db8::1]:9000');
});

it('reads the limit on open files', () => {
  assert.equal(parseFilesMax('Max open files            1024                 4096                 files'), 4_096);
  assert.equal(parseFilesMax('Max open files            1024                 unlimited            files'), 65_536);
});

it('refuses a size of memory that Redis would not understand', () => {
  assert.equal(redisMaxMemory({}), '512mb');
  assert.equal(redisMaxMemory({ MARU_REDIS_MAXMEMORY: '2GB' }), '2GB');
  for (const raw of ['0', 'lots', '1 gb', '1gb\nappendonly no'])
    assert.throws(() => redisMaxMemory({ MARU_REDIS_MAXMEMORY: raw }), /must be a size/);
});
