import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ObservedPod, summarize } from './edge-watch.ts';

const gateway = (change: Partial<ObservedPod>): ObservedPod => ({
  name: 'gateway-1',
  route: 'a',
  readyAtMs: undefined,
  terminatingAtMs: undefined,
  ...change,
});
const session = (atMs: number, route: string) => ({ atMs, route });

test('the first session of a new gateway is measured from the time at which it was ready', () => {
  const handshakes = [session(10, 'b'), session(90, 'a'), session(130, 'a'), session(150, 'a')];
  assert.deepEqual(summarize(handshakes, [gateway({ readyAtMs: 100 })]).firstSessions, [
    { name: 'gateway-1', afterMs: 30 },
  ]);
});

test('a new gateway without a session has no time', () => {
  assert.deepEqual(summarize([session(10, 'b')], [gateway({ readyAtMs: 5 })]).firstSessions, [
    { name: 'gateway-1', afterMs: undefined },
  ]);
});

test('the last session of a terminating gateway is measured from the start of its termination', () => {
  const handshakes = [session(90, 'a'), session(130, 'a'), session(500, 'b')];
  assert.deepEqual(summarize(handshakes, [gateway({ terminatingAtMs: 100 })]).lastSessions, [
    { name: 'gateway-1', afterMs: 30 },
  ]);
  assert.deepEqual(summarize([session(90, 'a')], [gateway({ terminatingAtMs: 100 })]).lastSessions, [
    { name: 'gateway-1', afterMs: 0 },
  ]);
});

test('a gateway that neither started nor terminated is not reported, and failures are kept', () => {
  const failure = { atMs: 20, route: undefined, failure: 'refused' };
  assert.deepEqual(summarize([session(10, 'a'), failure], [gateway({})]), {
    firstSessions: [],
    lastSessions: [],
    failures: [failure],
    handshakes: 2,
  });
});
