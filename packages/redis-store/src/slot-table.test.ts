import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLOTS, SlotTable } from './slot-table.ts';

const HALF = SLOTS / 2;

test('names the owner of each slot, and is covered when every slot has one', () => {
  const table = new SlotTable();
  assert.equal(table.update([[0, HALF - 1, ['a', 1]]], 'x', 0), true);
  assert.equal(table.ownerOf(0), 'a:1');
  assert.equal(table.ownerOf(HALF), undefined);
  assert.equal(table.isCovered, false);
  table.update(
    [
      [0, HALF - 1, ['a', 1]],
      [HALF, SLOTS - 1, [null, 2]],
    ],
    'x',
    0,
  );
  assert.equal(table.ownerOf(HALF), 'x:2');
  assert.equal(table.isCovered, true);
  assert.deepEqual([...table.primaries], ['a:1', 'x:2']);
});

test('prefers a redirection to older information for two seconds', () => {
  const table = new SlotTable();
  const all: Parameters<SlotTable['update']>[0] = [[0, SLOTS - 1, ['a', 1]]];
  table.update(all, 'a', 0);
  assert.equal(table.move(7, ':2', 'a:1', 0), true);
  assert.equal(table.move(7, 'a:2', 'a:1', 0), false);
  assert.equal(table.update(all, 'a', 1_000), false);
  assert.equal(table.ownerOf(7), 'a:2');
  assert.equal(table.update(all, 'a', 2_001), true);
  assert.equal(table.ownerOf(7), 'a:1');
});

test('ignores a malformed redirection', () => {
  const table = new SlotTable();
  assert.equal(table.move(SLOTS, 'a:2', 'a:1', 0), false);
  assert.equal(table.move(Number.NaN, 'a:2', 'a:1', 0), false);
  assert.equal(table.move(1, 'no host', 'a:1', 0), false);
  assert.equal(table.primaries.size, 0);
});
