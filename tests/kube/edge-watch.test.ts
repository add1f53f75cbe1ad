import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeEdge, type Life } from './edge-watch.ts';

const life = (change: Partial<Life>): Life => ({
  name: 'gateway-1',
  route: 'a',
  readyAtMs: undefined,
  leavingAtMs: undefined,
  ...change,
});
const came = (atMs: number, route: string) => ({ atMs, route });

test('a new gateway was learned when its first newcomer came after it was ready', () => {
  const handshakes = [came(10, 'b'), came(90, 'a'), came(130, 'a'), came(150, 'a')];
  assert.deepEqual(judgeEdge(handshakes, [life({ readyAtMs: 100 })]).learned, [{ name: 'gateway-1', afterMs: 30 }]);
});

test('a new gateway to which nobody came was never learned', () => {
  assert.deepEqual(judgeEdge([came(10, 'b')], [life({ readyAtMs: 5 })]).learned, [
    { name: 'gateway-1', afterMs: undefined },
  ]);
});

test('a leaving gateway was forgotten when its last newcomer came', () => {
  const handshakes = [came(90, 'a'), came(130, 'a'), came(500, 'b')];
  assert.deepEqual(judgeEdge(handshakes, [life({ leavingAtMs: 100 })]).forgotten, [{ name: 'gateway-1', afterMs: 30 }]);
  assert.deepEqual(judgeEdge([came(90, 'a')], [life({ leavingAtMs: 100 })]).forgotten, [
    { name: 'gateway-1', afterMs: 0 },
  ]);
});

test('one that was there and stayed says nothing; failures are kept', () => {
  const failure = { atMs: 20, route: undefined, failure: 'refused' };
  assert.deepEqual(judgeEdge([came(10, 'a'), failure], [life({})]), {
    learned: [],
    forgotten: [],
    failures: [failure],
    handshakes: 2,
  });
});
