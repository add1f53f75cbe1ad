import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaruError } from '@maru/protocol';
import type { Response } from 'express';
import { sendProblem } from './problem.ts';

function sent(error: MaruError): { headers: Record<string, string>; retryable: unknown } {
  const headers: Record<string, string> = {};
  let body = '';
  const response = {
    set: (name: string, value: string) => Object.assign(headers, { [name]: value }),
    status: () => response,
    type: () => response,
    send: (text: string) => {
      body = text;
    },
  };
  sendProblem(response as unknown as Response, error);
  return { headers, retryable: JSON.parse(body).retryable };
}

test('a refusal names its wait in Retry-After, however long, and is as retryable as its code', () => {
  const limited = (retryAfterMs: number) => sent(new MaruError('rate_limited', 'wait', { retryAfterMs }));
  assert.deepEqual(limited(1_001), { headers: { 'Retry-After': '2' }, retryable: true });
  assert.deepEqual(limited(3_600_000), { headers: { 'Retry-After': '3600' }, retryable: true });
  assert.deepEqual(sent(new MaruError('unavailable', '')), { headers: { 'Retry-After': '1' }, retryable: true });
  assert.deepEqual(sent(new MaruError('forbidden', '')), { headers: {}, retryable: false });
});
