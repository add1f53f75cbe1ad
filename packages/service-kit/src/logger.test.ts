import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError } from './logger.ts';

test('of an error only what it says of itself is told, not the command that carried a text', () => {
  const reply = Object.assign(new Error('OOM command not allowed'), {
    command: { name: 'evalsha', args: ['"text":"a secret"'] },
  });
  const error = Object.assign(new Error('the store cannot take it now', { cause: reply }), {
    code: 'unavailable',
    request: { text: 'a secret' },
  });
  const told = describeError(error) as Record<string, unknown>;
  assert.deepEqual(
    { ...told, stack: typeof told.stack },
    {
      type: 'Error',
      message: 'the store cannot take it now',
      stack: 'string',
      code: 'unavailable',
      causes: ['OOM command not allowed'],
    },
  );
  assert.ok(!JSON.stringify(told).includes('a secret'));
});

test('what was thrown without being an error is told as well', () => {
  assert.equal(describeError('no'), 'no');
});
