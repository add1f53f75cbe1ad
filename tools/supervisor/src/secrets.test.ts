import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeTempDir } from '../test-support/cluster-under-test.ts';
import { completeSecrets, loadSecrets } from './secrets.ts';

describe('the secrets of a data directory', () => {
  it('survive a restart, and only their owner can read them', () => {
    const temp = makeTempDir();
    const first = loadSecrets(temp.path);
    assert.deepEqual(loadSecrets(temp.path), first);
    assert.equal(new Set(Object.values(first)).size, 8);
    assert.equal(statSync(join(temp.path, 'secrets.json')).mode & 0o777, 0o600);
    temp.remove();
  });

  it('are completed if some are missing or invalid', () => {
    const jwtSecret = 'k'.repeat(40);
    const secrets = completeSecrets(JSON.stringify({ jwtSecret, guestSecret: 'short' }), () => 'n'.repeat(32));
    assert.equal(secrets.jwtSecret, jwtSecret);
    assert.equal(secrets.guestSecret, 'n'.repeat(32));
  });

  it('are not overwritten if the file cannot be parsed', () => {
    const temp = makeTempDir();
    writeFileSync(join(temp.path, 'secrets.json'), '{"jwtSec');
    assert.throws(() => loadSecrets(temp.path), /cannot be read as JSON/);
    temp.remove();
  });
});
