import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLosses, checkPace, checkReturn, readsBetween, summarizeReturns } from './return-checker.ts';

const advices = (...reconnectInMs: number[]) =>
  reconnectInMs.map((ms) => ({ code: 'draining' as const, atMs: 0, reconnectInMs: ms }));

test('separates the back-off of clients from the time of the cluster', () => {
  assert.equal(summarizeReturns([]), undefined);
  const returned = summarizeReturns([
    { lostAtMs: 0, backAtMs: 3_000, pausedMs: 2_500, tries: 2, left: false },
    { lostAtMs: 100, backAtMs: 1_100, pausedMs: 100, tries: 1, left: false },
    { lostAtMs: 50, backAtMs: 250, pausedMs: 150, tries: 0, left: true },
  ]);
  assert.deepEqual(returned, {
    members: 3,
    tookMs: { median: 1_000, p99: 3_000, slowest: 3_000 },
    beyondPausesMs: { median: 500, p99: 900, slowest: 900 },
    longestPauseMs: 2_500,
    triedAgain: 1,
  });
});

test('accepts an even drain, and reports one that advises all clients at once', () => {
  const even = Array.from({ length: 30 }, (_, index) => index * 100 + (index % 3) * 30);
  assert.deepEqual(checkPace(advices(...even), 10), []);
  assert.deepEqual(checkPace([], 10), []);
  assert.match(checkPace(advices(...even.map(() => 0)), 10).join(), /pace: 30 clients/);
  assert.match(checkPace(advices(...even.map((ms) => ms / 3)), 10).join(), /pace: 30 clients/);
});

test('counts reads of surviving and new processes, not of those that died', () => {
  const before = new Map([
    ['gateway-1 10', { resumeReads: 5 }],
    ['gateway-2 11', { resumeReads: 9 }],
  ]);
  assert.equal(
    readsBetween(
      before,
      new Map([
        ['gateway-1 10', { resumeReads: 8 }],
        ['gateway-2 20', { resumeReads: 2 }],
      ]),
    ),
    5,
  );
});

test('reports a client that loses its connection too often', () => {
  const losses = [
    { user: 'a', before: 7, after: 7 },
    { user: 'b', before: 0, after: 1 },
    { user: 'c', before: 2, after: 5 },
  ];
  assert.match(checkLosses(losses, 0).join(), /2 clients lost their connection more than 0 times: b/);
  assert.match(checkLosses(losses, 2).join(), /1 clients lost their connection more than 2 times: c/);
  assert.deepEqual(checkLosses(losses, 3), []);
  assert.deepEqual(checkLosses([], 0), []);
});

test('reports a client that returns too late', () => {
  assert.deepEqual(checkReturn(5_000, 5_000), []);
  assert.match(checkReturn(5_001, 5_000).join(), /I5: a client was back 5001 ms after its own back-off/);
});
