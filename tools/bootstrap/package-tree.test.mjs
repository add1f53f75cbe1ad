import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findMissing, isExpected, pinnedTree } from './package-tree.mjs';

const linux = { os: 'linux', cpu: 'x64', libc: 'glibc' };

describe('a tree of packages', () => {
  it('contains all packages that are not optional, and optional ones for this platform', () => {
    assert.equal(isExpected({}, linux), true);
    assert.equal(isExpected({ optional: true }, linux), false);
    assert.equal(isExpected({ optional: true, os: ['linux'], cpu: ['x64'] }, linux), true);
    assert.equal(isExpected({ optional: true, os: 'linux', cpu: 'arm64' }, linux), false);
    assert.equal(isExpected({ optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] }, linux), false);
    assert.equal(isExpected({ optional: true, cpu: ['wasm32'] }, linux), false);
    assert.equal(isExpected({ os: ['!win32'] }, linux), true);
    assert.equal(isExpected({ os: ['!linux'] }, linux), false);
  });

  it('is compared by packages for this platform only', () => {
    const windows = { version: '1.0.0', optional: true, os: ['win32'], cpu: ['x64'] };
    const packages = {
      '': {},
      'packages/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0', integrity: 'x' },
    };
    const pins = pinnedTree(packages, linux);
    assert.equal(
      pinnedTree({ ...packages, 'node_modules/c': windows, 'packages/a': { version: '2.0.0' } }, linux),
      pins,
    );
    assert.notEqual(pinnedTree({ ...packages, 'node_modules/b': { version: '1.0.0', integrity: 'y' } }, linux), pins);
    assert.notEqual(pinnedTree({ ...packages, 'node_modules/d': { optional: true, version: '1.0.0' } }, linux), pins);
    assert.notEqual(pinnedTree(packages, { ...linux, cpu: 'arm64' }), pins);
  });

  it('reports missing packages and wrong versions, including nested packages and links', () => {
    const packages = {
      '': { version: '0.1.0' },
      'packages/a': { version: '0.1.0' },
      'node_modules/@maru/a': { link: true },
      'node_modules/good': { version: '1.0.0' },
      'node_modules/old': { version: '2.0.0' },
      'node_modules/gone': { version: '1.0.0' },
      'node_modules/good/node_modules/inner': { version: '3.0.0' },
      'node_modules/other-system': { version: '1.0.0', optional: true, os: ['win32'], cpu: ['x64'] },
    };
    /** @type {Record<string, string>} */
    const installed = { 'node_modules/@maru/a': '0.1.0', 'node_modules/good': '1.0.0', 'node_modules/old': '1.9.0' };
    const version = (/** @type {string} */ path) => installed[path.replace('/package.json', '')];
    assert.deepEqual(findMissing(packages, linux, version), ['old', 'gone', 'inner']);
    assert.deepEqual(findMissing(packages, linux, version, 1), ['old']);
  });
});
