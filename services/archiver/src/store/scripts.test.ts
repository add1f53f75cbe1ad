import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { SCRIPTS } from './scripts.ts';

test('the header of each script names exactly the keys and arguments that it uses, and whether it writes', () => {
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
    // A full store runs those that write, because only the archiver makes place.
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
