import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionRouteOf } from './session-route.ts';

const reachedAt = { localAddress: '10.0.3.7', localPort: 3000 };
// printf '10.0.3.7:3000' | md5sum
const DIGEST = '172f7b83c60724fa98b9927fa2005722';

test('by name: a session id begins with the node name', () => {
  assert.equal(sessionRouteOf('name', 'gateway-1', reachedAt), 'gateway-1');
});

test('by address: a session id begins with the hash that nginx computes for the address', () => {
  assert.equal(sessionRouteOf('address', 'gateway-1', reachedAt), DIGEST);
});

test('an IPv4 address on a dual-stack listener gives the same hash', () => {
  assert.equal(sessionRouteOf('address', 'gateway-1', { ...reachedAt, localAddress: '::ffff:10.0.3.7' }), DIGEST);
});

test('an IPv6 address is hashed in brackets', () => {
  // printf '[fd00::7]:3000' | md5sum
  const expected = '647beee334e5580a7512e3d5ecb3a09a';
  assert.equal(sessionRouteOf('address', 'gateway-1', { localAddress: 'fd00::7', localPort: 3000 }), expected);
});

test('a connection that has ended gets the name', () => {
  assert.equal(sessionRouteOf('address', 'gateway-1', {}), 'gateway-1');
});
