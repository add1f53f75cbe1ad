import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programOf } from './program.ts';

test('a program has a short plain name, or none', () => {
  for (const name of ['web', 'Our App 2.1/ios', 'x'.repeat(40)]) assert.equal(programOf(name), name);
  for (const bad of ['', ' web', 'x'.repeat(41), '<b>', 'a\nb', '\u202eweb', 5, null, { toString: () => 'web' }])
    assert.equal(programOf(bad), undefined);
});
