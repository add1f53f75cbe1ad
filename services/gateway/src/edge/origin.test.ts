import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOriginAllowed } from './origin.ts';

const listed = new Set(['https://app.example.com', 'capacitor://localhost']);
const allowed = (origin: string | undefined, host: string | undefined = 'chat.example.com') =>
  isOriginAllowed(origin, host, listed);

test('a request without an origin is allowed', () => assert.equal(allowed(undefined), true));

test('the same host is allowed, with and without the default port', () => {
  assert.equal(allowed('https://chat.example.com'), true);
  assert.equal(allowed('http://chat.example.com', 'chat.example.com:80'), true);
  assert.equal(allowed('http://localhost:8080', 'localhost:8080'), true);
  assert.equal(allowed('http://[::1]:8080', '[::1]:8080'), true);
});

test('a listed origin is allowed on any host, with any scheme', () => {
  assert.equal(allowed('https://app.example.com'), true);
  assert.equal(allowed('capacitor://localhost'), true);
});

test('everything else is refused', () => {
  for (const origin of [
    'null',
    '',
    'https://evil.example',
    'https://chat.example.com.evil.example',
    'https://evilchat.example.com',
    'https://chat.example.com@evil.example',
    'https://chat.example.com/',
    'https://chat.example.com:8443',
    'http://app.example.com',
    'file://chat.example.com',
    'chrome-extension://chat.example.com',
    'capacitor://stranger',
    'tauri://localhost',
    'capacitor://localhost/',
    'https://chat.example.com\\.evil.example',
  ]) {
    assert.equal(allowed(origin), false, origin);
  }
  assert.equal(isOriginAllowed('https://chat.example.com', undefined, listed), false);
  assert.equal(allowed('https://a.b', 'a.b/../x'), false);
});
