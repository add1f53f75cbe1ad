import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeTestFolder } from './test-folder.mjs';

describe('the folder of tests', () => {
  let memory = '';
  before(() => {
    memory = mkdtempSync(join(tmpdir(), 'maru-memory-'));
  });
  after(() => rmSync(memory, { recursive: true, force: true }));

  /** @param {Partial<Parameters<typeof makeTestFolder>[0]>} how */
  function make(how) {
    const made = makeTestFolder({ environment: {}, memory, freeBytesMin: 1, ...how });
    const parent = dirname(made.path);
    rmSync(made.path, { recursive: true });
    return { parent, inMemory: made.inMemory };
  }
  const onDisk = { parent: tmpdir(), inMemory: false };

  it('is in memory if there is space and programs may run', () => {
    assert.deepEqual(make({}), { parent: memory, inMemory: true });
  });

  it('is in the default folder if there is too little memory', () => {
    assert.deepEqual(make({ freeBytesMin: Number.MAX_SAFE_INTEGER }), onDisk);
    assert.deepEqual(make({ memory: join(memory, 'absent') }), onDisk);
    // The kernel refuses new folders below /proc/self.
    assert.deepEqual(make({ memory: '/proc/self', freeBytesMin: 0 }), onDisk);
    assert.deepEqual(readdirSync(memory), []);
  });

  it('is in TMPDIR if that is set', () => {
    assert.deepEqual(make({ environment: { TMPDIR: tmpdir() } }), onDisk);
    assert.deepEqual(make({ environment: { TMPDIR: '' } }), { parent: memory, inMemory: true });
  });
});
