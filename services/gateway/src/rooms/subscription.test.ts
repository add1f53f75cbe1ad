import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Subscription } from './subscription.ts';

test('waiters of the first attach resolve, and later waiters wait for the newest attach', async () => {
  const subscription = new Subscription();
  const first = subscription.attached;
  subscription.attach(Promise.resolve());
  await first;
  let end = () => {};
  subscription.attach(new Promise((resolve) => (end = resolve)));
  let ended = false;
  const second = subscription.attached.then(() => (ended = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended, false);
  end();
  await second;
});
