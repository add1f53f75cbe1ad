import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { takeLock, waitForLock } from './lock.mjs';
import { identityOf, listProcesses, parseStat } from './process-identity.mjs';

describe('a lock', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'maru-lock-'));
    path = join(folder, 'a.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('has one holder, who can release it', async () => {
    const first = await takeLock(path);
    assert.ok(first.taken && !first.healed);
    const second = await takeLock(path);
    assert.ok(!second.taken && second.holder.pid === process.pid);
    first.release();
    assert.equal(existsSync(path), false);
    assert.ok((await takeLock(path)).taken);
  });

  it('is taken over from a dead holder, even if another process has its pid, and from an incomplete file', async () => {
    for (const text of [JSON.stringify({ pid: process.pid, identity: 'boot:1' }), '{"pid": 12', '']) {
      writeFileSync(path, text);
      const result = await takeLock(path);
      assert.ok(result.taken && result.healed, text);
      assert.equal(JSON.parse(readFileSync(path, 'utf8')).pid, process.pid);
      result.release();
    }
  });

  it('can be waited for', async () => {
    const first = await takeLock(path);
    assert.ok(first.taken);
    /** @type {number[]} */
    const holders = [];
    const onWait = (/** @type {{pid: number}} */ holder) => void holders.push(holder.pid);
    assert.equal(await waitForLock(path, { onWait, waitMs: 0 }), null);
    setTimeout(first.release, 100);
    assert.ok((await waitForLock(path, { onWait, waitMs: 3_000 })) !== null);
    assert.deepEqual(holders, [process.pid]);
  });
});

describe('the identity of a process', () => {
  it('stays the same while the process lives, and is null afterwards', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, cwd: tmpdir() });
    const pid = child.pid ?? 0;
    const identity = identityOf(pid);
    assert.notEqual(identity, null);
    assert.equal(identityOf(pid), identity);
    assert.ok(listProcesses().some((row) => row.pid === pid && row.session === pid && row.identity === identity));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(identityOf(pid), null);
  });

  it('is read correctly if the name has spaces and brackets', () => {
    const stat = `42 (a) b) S 1 42 40 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 9876 0 0`;
    assert.deepEqual(parseStat(stat), { state: 'S', session: 40, startTicks: '9876' });
  });
});
