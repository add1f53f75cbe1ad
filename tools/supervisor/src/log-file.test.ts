import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { makeTempDir } from '../test-support/cluster-under-test.ts';
import { openLogFile, withoutSecrets } from './log-file.ts';

describe('the log of a process', () => {
  let temp: ReturnType<typeof makeTempDir>;
  const failures: unknown[] = [];
  beforeEach(() => {
    temp = makeTempDir();
    failures.length = 0;
  });
  afterEach(() => temp.remove());
  const open = (bytesMax: number, path = join(temp.path, 'one.log')) =>
    openLogFile({ path, bytesMax, onError: (error) => failures.push(error) });

  it('is limited in size, and keeps one old file', () => {
    const log = open(1_000);
    for (let index = 0; index < 200; index += 1) log.write(`line ${index} ${'x'.repeat(40)}\n`);
    log.close();
    assert.ok(statSync(join(temp.path, 'one.log')).size < 1_100);
    assert.ok(statSync(join(temp.path, 'one.log.1')).size < 1_100);
    assert.match(readFileSync(join(temp.path, 'one.log'), 'utf8'), /line 199 x+\n$/);
  });

  it('returns the last lines, including an unfinished one', () => {
    const log = open(10_000);
    log.write('one\ntwo\nthr');
    assert.deepEqual(log.tail(2), ['two', 'thr']);
    log.write('ee\n');
    assert.deepEqual(log.tail(2), ['two', 'three']);
  });

  it('removes session ids, even if a line arrives in pieces', () => {
    const log = open(10_000);
    log.write('request: "GET /socket.io/?EIO=4&si');
    log.write('d=gateway-1.abcDEF HTTP/1.1"\n');
    log.close();
    assert.equal(readFileSync(join(temp.path, 'one.log'), 'utf8'), 'request: "GET /socket.io/?EIO=4&sid=… HTTP/1.1"\n');
    assert.equal(withoutSecrets('/?token=a.b.c&x=1'), '/?token=…&x=1');
  });

  it('reports a full disk once, and continues', () => {
    const log = open(1_000, join(temp.path, 'missing', 'one.log'));
    log.write('a\n');
    log.write('b\n');
    assert.equal(failures.length, 1);
    assert.deepEqual(log.tail(2), ['a', 'b']);
  });
});
