import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MaruError } from '@maru/protocol/errors';
import { ReadMarker } from './read-marker.ts';

it('asks again for the position after a failure, up to a maximum', async () => {
  const waiting: Array<() => void> = [];
  const scheduler = {
    ...{ now: () => 0, wallNow: () => 0, random: () => 0.5 },
    after: (_delayMs: number, task: () => void) => {
      waiting.push(task);
      return () => {};
    },
  };
  let asked = 0;
  let isDown = true;
  const request = async () => {
    asked++;
    if (isDown) throw new MaruError('unavailable', 'down');
    return { seq: 7, n: 5, unread: 2, mentions: 0 };
  };
  const positions: number[] = [];
  const marker = new ReadMarker({
    ...{ client: { request } as never, room: 'lobby', scheduler },
    onPosition: ({ seq }) => positions.push(seq),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  marker.learn();
  await settle();
  while (waiting.length > 0) {
    waiting.pop()?.();
    await settle();
  }
  assert.equal(asked, 7);
  assert.equal(marker.known, null);
  marker.restart();
  marker.learn();
  await settle();
  isDown = false;
  waiting.pop()?.();
  await settle();
  assert.deepEqual([marker.known, positions], [{ seq: 7, n: 5 }, [7]]);
});
