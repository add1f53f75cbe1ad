import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiryOf } from './expiry.ts';

test('the notice comes 60 s before the end, or at two thirds of the time left, whichever is later', () => {
  const noticeAtMs = (expiresAtS: number, nowMs: number) => expiryOf(expiresAtS, nowMs).noticeAtMs;
  assert.equal(noticeAtMs(3_600, 0), 3_540_000);
  assert.equal(noticeAtMs(180, 0), 120_000);
  assert.equal(noticeAtMs(45, 0), 30_000);
  assert.equal(noticeAtMs(3_600, 3_570_000), 3_590_000);
  assert.equal(noticeAtMs(45, 45_000), 45_000);
  assert.equal(noticeAtMs(45, 60_000), 45_000);
});
