import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeTestFolder } from './test-folder.mjs';

describe("the tests' folder", () => {
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

  it('is in memory where there is room and programs may run', () => {
    assert.deepEqual(make({}), { parent: memory, inMemory: true });
  });

  it('is where other files are when memory is short or not to be had', () => {
    assert.deepEqual(make({ freeBytesMin: Number.MAX_SAFE_INTEGER }), onDisk);
    assert.deepEqual(make({ memory: join(memory, 'absent') }), onDisk);
    // Nothing can be made below a process's own folder.
    assert.deepEqual(make({ memory: '/proc/self', freeBytesMin: 0 }), onDisk);
    assert.deepEqual(readdirSync(memory), []);
  });

  it('is where TMPDIR says, if it says anything', () => {
    assert.deepEqual(make({ environment: { TMPDIR: tmpdir() } }), onDisk);
    assert.deepEqual(make({ environment: { TMPDIR: '' } }), { parent: memory, inMemory: true });
  });
});
