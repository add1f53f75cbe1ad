import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgePace, readsBetween, summarizeReturns } from './return-judge.ts';

const advices = (...reconnectInMs: number[]) =>
  reconnectInMs.map((ms) => ({ code: 'draining' as const, atMs: 0, reconnectInMs: ms }));

test('pauses of the clients themselves are told apart from what the cluster took', () => {
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

test('an even hand-over keeps its pace, and one that asks everybody at once is seen', () => {
  const even = Array.from({ length: 30 }, (_, index) => index * 100 + (index % 3) * 30);
  assert.deepEqual(judgePace(advices(...even), 10), []);
  assert.deepEqual(judgePace([], 10), []);
  assert.match(judgePace(advices(...even.map(() => 0)), 10).join(), /pace: 30 clients/);
  assert.match(judgePace(advices(...even.map((ms) => ms / 3)), 10).join(), /pace: 30 clients/);
});

test('reads are counted of processes that lived through it and of new ones, not of those that died', () => {
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
