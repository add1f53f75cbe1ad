import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeTempDir } from '../test-support/cluster-under-test.ts';
import { completeSecrets, loadSecrets } from './secrets.ts';

describe('the secrets of a data directory', () => {
  it('are kept from start to start, readable by their owner only', () => {
    const temp = makeTempDir();
    const first = loadSecrets(temp.path);
    assert.deepEqual(loadSecrets(temp.path), first);
    assert.equal(new Set(Object.values(first)).size, 5);
    assert.equal(statSync(join(temp.path, 'secrets.json')).mode & 0o777, 0o600);
    temp.remove();
  });

  it('are completed where some are missing or unusable', () => {
    const jwtSecret = 'k'.repeat(40);
    const secrets = completeSecrets(JSON.stringify({ jwtSecret, guestSecret: 'short' }), () => 'n'.repeat(32));
    assert.equal(secrets.jwtSecret, jwtSecret);
    assert.equal(secrets.guestSecret, 'n'.repeat(32));
  });

  it('are never overwritten when they cannot be read', () => {
    const temp = makeTempDir();
    writeFileSync(join(temp.path, 'secrets.json'), '{"jwtSec');
    assert.throws(() => loadSecrets(temp.path), /cannot be read as JSON/);
    temp.remove();
  });
});
