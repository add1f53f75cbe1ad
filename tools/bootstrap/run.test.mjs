import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { run } from './run.mjs';

test('a program in the background has the lowest priority, and so has its session', async () => {
  const groups = existsSync('/proc/self/autogroup');
  const show = groups ? 'cat /proc/self/autogroup' : 'true';
  const { output } = await run('sh', ['-c', `sleep 0.5; nice; ${show}`], { deadlineMs: 20_000, inBackground: true });
  assert.match(output, /^19$/m);
  if (groups) assert.match(output, /nice 19$/m);
});
