import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MaruError } from '@maru/protocol/errors';
import { createFakeScheduler } from '../testing/fake-scheduler.ts';
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

it('asks again on a new connection, because another device may have read more', async () => {
  const asked: number[] = [];
  let readSeq = 3;
  const request = async (_name: string, { seq }: { seq: number }) => {
    asked.push(seq);
    readSeq = Math.max(readSeq, seq);
    return { seq: readSeq, n: readSeq, unread: 9 - readSeq, mentions: 0 };
  };
  const unread: number[] = [];
  const marker = new ReadMarker({
    ...{ client: { request } as never, room: 'lobby', scheduler: createFakeScheduler().scheduler },
    onPosition: (data) => unread.push(data.unread),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  marker.learn();
  await settle();
  readSeq = 8;
  marker.restart();
  await settle();
  assert.deepEqual([asked, unread, marker.known], [[0, 0], [6, 1], { seq: 8, n: 8 }]);
});

it('does not ask on a new connection for a room whose position nobody wants yet', () => {
  const request = () => assert.fail('asked');
  const scheduler = createFakeScheduler().scheduler;
  const marker = new ReadMarker({ client: { request } as never, room: 'lobby', scheduler, onPosition: () => {} });
  marker.restart();
});
