import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordedProcess } from '../../bootstrap/cluster-state.mjs';
import { findLeftovers } from './leftovers.ts';

const recorded: RecordedProcess[] = [
  { name: 'redis', kind: 'redis', pid: 100, identity: 'boot:1000' },
  { name: 'nginx', kind: 'nginx', pid: 200, identity: 'boot:2000' },
];
const row = (pid: number, session: number, identity: string, cwd: string | null) => ({ pid, session, identity, cwd });

describe('leftovers of a killed supervisor', () => {
  it('are identified by pid and start time', () => {
    assert.deepEqual(findLeftovers(recorded, [row(100, 100, 'boot:1000', '/data')], '/data'), [
      { name: 'redis', kind: 'redis', pid: 100 },
    ]);
  });

  it('exclude another process that got the same pid later', () => {
    assert.deepEqual(findLeftovers(recorded, [row(100, 100, 'boot:9999', '/data')], '/data'), []);
    assert.deepEqual(findLeftovers(recorded, [row(100, 7, 'other-boot:1000', '/')], '/data'), []);
  });

  it('include the workers of a dead master, by session and working directory', () => {
    const rows = [
      row(201, 200, 'boot:2001', '/data'),
      row(202, 200, 'boot:2001', '/elsewhere'),
      row(203, 200, 'boot:2001', null),
    ];
    assert.deepEqual(findLeftovers(recorded, rows, '/data'), [{ name: 'nginx', kind: 'nginx', pid: 201 }]);
  });
});
