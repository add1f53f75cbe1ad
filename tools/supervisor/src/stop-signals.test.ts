import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ECHO_MS, readSignal } from './stop-signals.ts';

it('takes the first signal for a stop, an echo of it for nothing, and a later one for "at once"', () => {
  assert.equal(readSignal(null, 5_000), 'stop');
  assert.equal(readSignal(5_000, 5_000), 'echo');
  assert.equal(readSignal(5_000, 5_000 + ECHO_MS), 'echo');
  assert.equal(readSignal(5_000, 5_001 + ECHO_MS), 'at once');
});
