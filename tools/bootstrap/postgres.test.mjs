import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findPrograms } from './find-program.mjs';
import { choosePostgres, postgresMajor } from './postgres.mjs';

const folder = mkdtempSync(join(tmpdir(), 'maru-postgres-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** @param {string} version */
function install(version) {
  const bin = join(folder, version, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'maru-test-db'), '#!/bin/sh\n');
  chmodSync(join(bin, 'maru-test-db'), 0o755);
  return join(bin, 'maru-test-db');
}

describe('programs in versioned folders', () => {
  it('are found after those on the PATH, the highest version first, each file once', () => {
    const [nine, ten] = [install('9'), install('10')];
    const onPath = join(folder, 'path');
    mkdirSync(onPath);
    symlinkSync(nine, join(onPath, 'maru-test-db'));
    const find = (/** @type {string} */ path) =>
      findPrograms(['maru-test-db'], { PATH: path }, [`${folder}/*/bin/maru-test-db`]);
    assert.deepEqual(find(''), [ten, nine]);
    assert.deepEqual(find(onPath), [join(onPath, 'maru-test-db'), ten]);
  });
});

describe('the PostgreSQL of an archive', () => {
  const installed = [
    { file: '/17/postgres', major: 17 },
    { file: '/15/postgres', major: 15 },
  ];
  const directory = '/data/postgres';

  it('is the best that is installed, or the one that wrote the archive', () => {
    assert.equal(choosePostgres(installed, { wanted: null, directory }), '/17/postgres');
    assert.equal(choosePostgres(installed, { wanted: 15, directory }), '/15/postgres');
  });

  it('is refused with what to do if it cannot open the archive, or is too old', () => {
    assert.throws(
      () => choosePostgres(installed, { wanted: 16, directory }),
      /PostgreSQL 16 wrote the archive in \/data\/postgres\. Found 17 .*Install PostgreSQL 16 .*--no-archive/s,
    );
    const old = [{ file: '/13/postgres', major: 13 }];
    assert.throws(() => choosePostgres(old, { wanted: null, directory }), /PostgreSQL 14 or newer .* found 13/);
  });

  it('names its major version', () => {
    assert.equal(postgresMajor('postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n'), 15);
    assert.equal(postgresMajor('postgres (PostgreSQL) 19beta1\n'), 19);
    assert.equal(postgresMajor('something else'), null);
  });
});
