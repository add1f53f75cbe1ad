import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from './config.ts';
import { withFileValues } from './environment.ts';

const files: Record<string, string> = { '/run/jwt': 'secret\n', '/etc/hostname': 'c0ffee\n', '/run/empty': ' \n' };
const readText = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  return text;
};

test('reads a value from the file that its variable names', () => {
  assert.deepEqual(withFileValues({ MARU_JWT_SECRET_FILE: '/run/jwt', MARU_NODE_FILE: '/etc/hostname' }, readText), {
    MARU_JWT_SECRET: 'secret',
    MARU_NODE: 'c0ffee',
  });
});

test('does not change other variables, including those of other programs', () => {
  const environment = { MARU_NODE: 'gateway-1', SSL_CERT_FILE: '/etc/ssl/cert.pem', PATH: '/bin' };
  assert.deepEqual(withFileValues(environment, readText), environment);
});

test('treats an empty file variable as unset', () => {
  assert.deepEqual(withFileValues({ MARU_NODE: 'gateway-1', MARU_NODE_FILE: '' }, readText), {
    MARU_NODE: 'gateway-1',
  });
});

test('reports all unreadable files and double settings together, without values', () => {
  assert.throws(
    () =>
      withFileValues(
        { MARU_JWT_SECRET: 'x', MARU_JWT_SECRET_FILE: '/run/jwt', MARU_REDIS_URL_FILE: '/run/none' },
        readText,
      ),
    (error: Error) =>
      error instanceof ConfigError &&
      error.message ===
        'Configuration: MARU_JWT_SECRET and MARU_JWT_SECRET_FILE are both set; MARU_REDIS_URL_FILE cannot be read (ENOENT): /run/none',
  );
});

test('refuses an empty file', () => {
  assert.throws(
    () => withFileValues({ MARU_JWT_ISSUER_FILE: '/run/empty' }, readText),
    (error: Error) =>
      error instanceof ConfigError &&
      error.message === 'Configuration: MARU_JWT_ISSUER_FILE names an empty file: /run/empty',
  );
});

test('does not show a secret that was set instead of its path', () => {
  assert.throws(
    () => withFileValues({ MARU_JWT_SECRET_FILE: 'the-secret-itself' }, readText),
    (error: Error) =>
      /^Configuration: MARU_JWT_SECRET_FILE cannot be read \(ENOENT\)/.test(error.message) &&
      !error.message.includes('the-secret-itself'),
  );
});
