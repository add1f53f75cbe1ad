import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { hashInputs } from './web.mjs';

it('hashes names and contents of the inputs, and not the output', () => {
  const root = mkdtempSync(join(tmpdir(), 'maru-web-'));
  const put = (/** @type {string} */ path, /** @type {string} */ text) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const hash = () => hashInputs(root, ['app', 'lock.json', 'absent']);
  put('app/src/a.ts', 'one');
  put('lock.json', '{}');
  const before = hash();
  assert.equal(hash(), before);
  put('app/dist/a.js', 'made');
  put('app/node_modules/x/y.js', 'made');
  put('elsewhere.ts', 'not an input');
  assert.equal(hash(), before);
  put('app/src/b.ts', '');
  const added = hash();
  assert.notEqual(added, before);
  put('app/src/a.ts', 'two');
  assert.notEqual(hash(), added);
  rmSync(root, { recursive: true, force: true });
});
