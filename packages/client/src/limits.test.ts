import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { DEFAULT_LIMITS } from './limits.ts';

it('has every limit and its default in the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `(\w+)` \| (\S+) \|/gm)].map(([, name, value]) => [name, value]);
  assert.deepEqual(
    rows,
    Object.entries(DEFAULT_LIMITS).map(([name, value]) => [name, String(value)]),
  );
});
