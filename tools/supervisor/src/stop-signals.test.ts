import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ECHO_MS, readSignal } from './stop-signals.ts';

it('the first signal means stop, its echo means nothing, and a later signal means stop at once', () => {
  assert.equal(readSignal(null, 5_000), 'stop');
  assert.equal(readSignal(5_000, 5_000), 'echo');
  assert.equal(readSignal(5_000, 5_000 + ECHO_MS), 'echo');
  assert.equal(readSignal(5_000, 5_001 + ECHO_MS), 'at once');
});
