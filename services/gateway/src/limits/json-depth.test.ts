import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNestedDeeper } from './json-depth.ts';

test('brackets in strings do not count, and escaped quotes do not end a string', () => {
  assert.equal(isNestedDeeper(JSON.stringify({ text: `${'['.repeat(100)}"\\"[[` }), 2), false);
  assert.equal(isNestedDeeper('{"a":[1,[2]],"b":[3]}', 3), false);
  assert.equal(isNestedDeeper('{"a":[1,[2]]}', 2), true);
});
