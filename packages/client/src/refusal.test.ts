import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConnectFailure, refusalOf } from './refusal.ts';

const failed = (parts: Omit<Partial<ConnectFailure>, 'message'>): ConnectFailure =>
  Object.assign(new Error('xhr poll error'), parts);
const answered = (responseText: unknown) => refusalOf(failed({ context: { responseText } }))?.toBody();

test('the data of a refused handshake is the reason', () => {
  const data = { code: 'rate_limited', message: 'too many', retryable: true, retryAfterMs: 5_000 };
  assert.deepEqual(refusalOf(failed({ data }))?.toBody(), data);
});

test('the answer of nginx or of a gateway to a poll is the reason', () => {
  const nginx =
    '{"type":"about:blank","title":"Too many requests","status":429,"code":"rate_limited","retryable":true,"retryAfterMs":1000}';
  assert.deepEqual(answered(nginx), {
    ...{ code: 'rate_limited', message: 'Too many requests', retryable: true, retryAfterMs: 1_000 },
  });
  const gateway =
    '{"type":"about:blank","title":"Not allowed","status":403,"detail":"no","code":"forbidden","retryable":false}';
  assert.deepEqual(answered(gateway), { code: 'forbidden', message: 'no', retryable: false });
});

test('other answers give no reason', () => {
  for (const text of [undefined, '', '<html>502</html>', '{"code":1,"message":"Session ID unknown"}', 'null', '7'])
    assert.equal(answered(text), undefined, String(text));
  assert.equal(refusalOf(failed({})), undefined);
});
