import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeLimits } from './node-limits.ts';

const MB = 1_048_576;

test('a node has a maximum of connections, and its memory is read at most twice a second', () => {
  let [now, memoryBytes, reads] = [0, 80 * MB, 0];
  const limitReached = createNodeLimits({
    connectionsMax: 3,
    memoryMaxMb: 100,
    memoryBytes: () => {
      reads++;
      return memoryBytes;
    },
    now: () => now,
  });
  assert.deepEqual([limitReached(2), limitReached(3)], [undefined, 'node_connections']);
  memoryBytes = 86 * MB;
  assert.equal(limitReached(0), undefined);
  now += 500;
  assert.equal(limitReached(0), 'node_memory');
  memoryBytes = 84 * MB;
  now += 500;
  assert.equal(limitReached(0), undefined);
  assert.equal(reads, 3);
});

test('without a maximum the memory is not read', () => {
  const memoryBytes = () => assert.fail('read');
  assert.equal(
    createNodeLimits({ connectionsMax: 1, memoryMaxMb: undefined, memoryBytes, now: () => 0 })(0),
    undefined,
  );
});
