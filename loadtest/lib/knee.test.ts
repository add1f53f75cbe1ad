import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClimb, describeKnee, type StepFigures } from './knee.ts';
import { createToleranceChecker, percentile } from './tolerance.ts';

const STEPS = [50, 100, 200].map((messagesPerS, index) => ({
  name: `step-${index + 1}`,
  messagesPerS,
  lengthMs: 10_000,
}));
const figures = (sent: number, acknowledged: number, deliveryP99Ms: number): StepFigures => ({
  sent,
  acknowledged,
  deliveryP99Ms,
});

test('the knee is the last step that held, with the reason of the next one', () => {
  const good = figures(500, 500, 20);
  const fine = figures(990, 980, 100);
  const knee = (last: StepFigures | undefined) => describeKnee(STEPS, [good, fine, last], 250);
  assert.match(knee(figures(2_000, 2_000, 900)), /^knee: 100 messages\/s held; at 200 messages\/s .* 900 ms/);
  assert.match(knee(figures(2_000, 1_000, 90)), /knee: 100 .*1000 of 2000 messages were acknowledged/);
  assert.match(knee(figures(1_000, 1_000, 90)), /knee: 100 .*clients sent 1000 of 2000/);
  assert.match(knee(undefined), /knee: 100 .*nothing was measured/);
  assert.match(knee(figures(1_950, 1_950, 250)), /no knee up to 200/);
  assert.match(describeKnee(STEPS, [figures(500, 500, 300), fine, undefined], 250), /below the first step/);
});

test('a later step that holds does not move the knee', () => {
  const all = [figures(500, 500, 20), figures(1_000, 1_000, 400), figures(2_000, 2_000, 20)];
  assert.match(describeKnee(STEPS, all, 250), /^knee: 50 /);
});

test('a user enters the next step only while all steps before held', () => {
  const climb = createClimb({ p99MsMax: 250 });
  assert.equal(climb.mayEnter(0), true);
  for (let n = 0; n < 100; n++) climb.delivered(0, n === 99 ? 900 : 20);
  assert.equal(climb.mayEnter(1), true);
  for (let n = 0; n < 100; n++) climb.delivered(1, n >= 98 ? 900 : 20);
  assert.equal(climb.mayEnter(2), false);
  for (let n = 0; n < 100; n++) climb.delivered(2, 1);
  assert.equal(climb.mayEnter(3), false);
});

test('a user that sent a lot and received nothing does not enter the next step', () => {
  const climb = createClimb({ p99MsMax: 250 });
  for (let n = 0; n < 20; n++) climb.sent(0);
  assert.equal(climb.mayEnter(1), false);
});

test('tolerates twice the earlier 99th percentile and a pause', () => {
  const checker = createToleranceChecker({ group: 'quiet', baseline: 'calm', compared: 'hot' });
  for (let n = 1; n <= 100; n++) assert.equal(checker.observe('quiet', 'calm', n), undefined);
  assert.equal(checker.observe('quiet', 'hot', 99 * 2 + 50), true);
  assert.equal(checker.observe('quiet', 'hot', 99 * 2 + 51), false);
  assert.equal(checker.observe('hot', 'hot', 10_000), undefined);
  assert.equal(checker.observe('quiet', 'late', 10_000), undefined);
});

test('a percentile is one of the values', () => {
  assert.equal(percentile([], 0.99), 0);
  assert.equal(percentile([3, 1, 2], 0.5), 2);
  assert.equal(percentile([3, 1, 2], 0.99), 3);
});
