import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, type Receipt } from '@maru/protocol';
import { Receipts } from './receipts.ts';

function startReceipts() {
  let nowMs = 0;
  let tick = () => {};
  const written: Array<[number, Receipt]> = [];
  const receipts = new Receipts({
    write: (_, packet) => written.push([nowMs, JSON.parse(packet.slice(packet.indexOf('[')))[1]]),
    now: () => nowMs,
  });
  receipts.start({
    join: (_, run) => {
      tick = run;
      return () => {};
    },
  });
  const run = (ticks: number) => {
    for (let i = 0; i < ticks; i++) {
      nowMs += 500;
      tick();
    }
  };
  return { receipts, written, run };
}

test('receipts of one room are written together, with the newest of each user', () => {
  const { receipts, written, run } = startReceipts();
  receipts.note('a', 'mina', 1);
  receipts.note('a', 'jun', 1);
  receipts.note('a', 'mina', 3);
  run(3);
  const readers = [
    { user: 'mina', seq: 3 },
    { user: 'jun', seq: 1 },
  ];
  assert.deepEqual(written, [[500, { room: 'a', readers }]]);
});

test('a room is written to at most once a second, and nothing that waits is forgotten', () => {
  const { receipts, written, run } = startReceipts();
  for (let seq = 1; seq <= 8; seq++) {
    receipts.note('a', 'mina', seq);
    run(1);
  }
  receipts.note('b', 'mina', 9);
  run(2);
  assert.deepEqual(
    written.map(([atMs, { room, readers }]) => [atMs, room, readers[0]?.seq]),
    [
      [500, 'a', 1],
      [1_500, 'a', 3],
      [2_500, 'a', 5],
      [3_500, 'a', 7],
      [4_500, 'a', 8],
      [4_500, 'b', 9],
    ],
  );
});

test('a receipt names a bounded number of users', () => {
  const { receipts, written, run } = startReceipts();
  for (let user = 0; user < 2 * LIMITS.receiptMembersMax; user++) receipts.note('a', `u${user}`, 1);
  run(1);
  assert.equal(written[0]?.[1].readers.length, LIMITS.receiptMembersMax);
});
