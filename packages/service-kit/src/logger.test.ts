import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError } from './logger.ts';

test('logs an error without its other properties, such as the failed command', () => {
  const reply = Object.assign(new Error('OOM command not allowed'), {
    command: { name: 'evalsha', args: ['"text":"a secret"'] },
  });
  const error = Object.assign(new Error('the store is not available now', { cause: reply }), {
    code: 'unavailable',
    request: { text: 'a secret' },
  });
  const fields = describeError(error) as Record<string, unknown>;
  assert.deepEqual(
    { ...fields, stack: typeof fields.stack },
    {
      type: 'Error',
      message: 'the store is not available now',
      stack: 'string',
      code: 'unavailable',
      causes: ['OOM command not allowed'],
    },
  );
  assert.ok(!JSON.stringify(fields).includes('a secret'));
});

test('logs a thrown value that is not an error', () => {
  assert.equal(describeError('no'), 'no');
});
