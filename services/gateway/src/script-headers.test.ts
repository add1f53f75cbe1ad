import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loadScript } from '@maru/redis-store';

/** Function libraries, which have no keys or arguments of their own. */
const LIBRARIES = [
  'room-epoch.lua',
  'room-entry.lua',
  'room-guard.lua',
  'room-overlay.lua',
  'change-effects.lua',
  'late-changes.lua',
  'read-state.lua',
];
const scripts = globSync(`${import.meta.dirname}/**/*.lua`).filter((path) => !LIBRARIES.includes(basename(path)));

test('the header of each script names exactly the keys and arguments that the script uses', () => {
  assert.ok(scripts.length >= 6, `found ${scripts.length}`);
  for (const path of scripts) {
    const { keys, args } = loadScript(pathToFileURL(path));
    const body = readFileSync(path, 'utf8').replace(/^--.*$/gm, '');
    const used = (kind: 'KEYS' | 'ARGV') =>
      [...new Set([...body.matchAll(new RegExp(`${kind}\\[(\\d+)\\]`, 'g'))].map(([, index]) => Number(index)))].sort(
        (a, b) => a - b,
      );
    assert.deepEqual(
      used('KEYS'),
      keys.map((_, index) => index + 1),
      `keys of ${path}`,
    );
    assert.deepEqual(
      used('ARGV'),
      args.map((_, index) => index + 1),
      `arguments of ${path}`,
    );
  }
});
