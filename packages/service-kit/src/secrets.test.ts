import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { asText, ConfigError, DEVELOPMENT_FIELD, readConfig } from './config.ts';
import { asSecret, isPublicSecret } from './secrets.ts';

test('generated secrets are accepted', () => {
  for (let n = 0; n < 100; n++)
    for (const encoding of ['hex', 'base64', 'base64url'] as const) asSecret(randomBytes(32).toString(encoding));
  asSecret(randomBytes(16).toString('hex'));
  asSecret('correct horse battery staple, and more');
});

test('short secrets are refused without being shown', () => {
  for (const weak of ['', 'short', 'x'.repeat(31)])
    assert.throws(
      () => asSecret(weak),
      ({ message }: Error) => /^must have at least 32/.test(message) && !/xx|short/.test(message),
      weak,
    );
});

test('public secrets are recognized, in URLs too', () => {
  for (const known of [
    'development-only-jwt-secret-0123456789abcdef',
    'redis://maru:development-only-password-of-maru@redis:6379',
    'redis+sentinel://maru:development-only-x@a:1,b:2/name',
    'rediss://maru:PASSWORD@redis.example.com:6380',
    'redis+cluster://maru:password@a:1,b:2',
  ])
    assert.equal(isPublicSecret(known), true, known);
  for (const own of [
    'redis://redis:6379',
    'redis://maru@redis:6379',
    'rediss://maru:Zm9vYmFy-password@redis:6380',
    'redis://password:x@redis:6379',
    randomBytes(32).toString('base64'),
  ])
    assert.equal(isPublicSecret(own), false, own);
});

test('a public secret is refused without being shown, unless MARU_DEVELOPMENT is on', () => {
  const fields = {
    development: DEVELOPMENT_FIELD,
    key: { env: 'MARU_KEY', doc: 'a key', parse: asSecret, secret: true },
    name: { env: 'MARU_NAME', doc: 'a name', parse: asText },
  };
  const environment = { MARU_KEY: 'development-only-key-0123456789abcdef', MARU_NAME: 'development-only-name' };
  for (const development of [undefined, '', 'off'])
    assert.throws(
      () => readConfig(fields, { ...environment, MARU_DEVELOPMENT: development }),
      (error) => error instanceof ConfigError && /^Configuration: MARU_KEY is a secret[^;]+$/.test(error.message),
    );
  assert.throws(
    () => readConfig(fields, { ...environment, MARU_DEVELOPMENT: 'true' }),
    (error) => error instanceof ConfigError && !error.message.includes('development-only-key'),
  );
  assert.equal(readConfig(fields, { ...environment, MARU_DEVELOPMENT: 'on' }).key, environment.MARU_KEY);
});
