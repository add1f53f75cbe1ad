import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { SCRIPTS } from './scripts.ts';

test('the header of each script names exactly its keys and arguments, and whether it writes', () => {
  for (const { name, source, keys, args } of Object.values(SCRIPTS)) {
    const code = source.replace(/^--.*$/gm, '');
    for (const [kind, declared] of [
      ['KEYS', keys],
      ['ARGV', args],
    ] as const) {
      const used = new Set(
        [...code.matchAll(new RegExp(`${kind}\\[(\\d+)\\]`, 'g'))].map(([, index]) => Number(index)),
      );
      assert.deepEqual(
        [...used].sort(),
        declared.map((_, index) => index + 1),
        `${kind} of ${name}`,
      );
    }
    // Writing scripts must run in a full store, because only the archiver frees space.
    assert.match(source, /^#!lua flags=(allow-oom|no-writes)\n/, name);
  }
});

test('every script is loaded', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.lua'));
  assert.deepEqual(
    files.sort(),
    Object.values(SCRIPTS)
      .map(({ name }) => name)
      .sort(),
  );
});
