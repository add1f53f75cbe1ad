import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { applyScript, claimScript } from './import-room.ts';

test('the header of each script names exactly its keys and arguments', () => {
  for (const [script, file] of [
    [applyScript, 'apply-import.lua'],
    [claimScript, 'claim-room.lua'],
  ] as const) {
    const body = readFileSync(new URL(file, import.meta.url), 'utf8').replace(/^--.*$/gm, '');
    for (const [kind, named] of [
      ['KEYS', script.keys],
      ['ARGV', script.args],
    ] as const) {
      const used = new Set(
        [...body.matchAll(new RegExp(`${kind}\\[(\\d+)\\]`, 'g'))].map(([, index]) => Number(index)),
      );
      assert.deepEqual(
        [...used].sort((a, b) => a - b),
        named.map((_, index) => index + 1),
      );
    }
  }
});
