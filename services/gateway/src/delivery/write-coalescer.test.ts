import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { WriteCoalescer } from './write-coalescer.ts';

afterEach(() => mock.timers.reset());

/** A room with a fake clock, and the list of its writes. */
function startRoom() {
  const written: string[][] = [];
  const clock = { ms: 1_000 };
  const writes = new WriteCoalescer(
    (packets) => written.push(packets),
    () => clock.ms,
  );
  mock.timers.enable({ apis: ['setTimeout'] });
  const pass = (ms: number) => {
    clock.ms += ms;
    mock.timers.tick(ms);
  };
  const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { writes, written, pass, endOfTurn };
}

test('a single entry is written at the end of its turn', async () => {
  const { writes, written, endOfTurn } = startRoom();
  writes.push('a');
  assert.deepEqual(written, []);
  await endOfTurn();
  assert.deepEqual(written, [['a']]);
});

test('entries of one turn are written together, with the rest of their burst', async () => {
  const { writes, written, pass, endOfTurn } = startRoom();
  for (const packet of ['a', 'b', 'c']) writes.push(packet);
  await endOfTurn();
  pass(1);
  writes.push('d');
  await endOfTurn();
  assert.deepEqual(written, []);
  pass(1);
  assert.deepEqual(written, [['a', 'b', 'c', 'd']]);
  pass(10);
  assert.equal(written.length, 1);
});

test('a waiting burst is flushed once, before what must come after it', async () => {
  const { writes, written, pass, endOfTurn } = startRoom();
  for (const packet of ['a', 'b']) writes.push(packet);
  await endOfTurn();
  writes.flush();
  writes.push('c');
  await endOfTurn();
  assert.deepEqual(written, [['a', 'b']]);
  pass(4);
  assert.deepEqual(written, [['a', 'b'], ['c']]);
  pass(10);
  assert.equal(written.length, 2);
});

test('entries of a room that is not hot never wait', async () => {
  const { writes, written, pass, endOfTurn } = startRoom();
  for (const packet of ['a', 'b', 'c']) {
    writes.push(packet);
    await endOfTurn();
    pass(5);
  }
  assert.deepEqual(written, [['a'], ['b'], ['c']]);
});

test('entries shortly after a write are coalesced for a few milliseconds', async () => {
  const { writes, written, pass, endOfTurn } = startRoom();
  writes.push('a');
  await endOfTurn();
  for (const packet of ['b', 'c', 'd']) {
    pass(1);
    writes.push(packet);
    await endOfTurn();
  }
  assert.deepEqual(written, [['a']]);
  pass(1);
  assert.deepEqual(written, [['a'], ['b', 'c', 'd']]);
  pass(10);
  assert.equal(written.length, 2);
});

test('a flush writes immediately, once, and in order', async () => {
  const { writes, written, pass, endOfTurn } = startRoom();
  writes.push('a');
  writes.flush();
  writes.push('b');
  writes.flush();
  writes.flush();
  await endOfTurn();
  pass(10);
  assert.deepEqual(written, [['a'], ['b']]);
});

test('coalescing is limited in size', () => {
  const { writes, written } = startRoom();
  for (let i = 0; i < 10; i++) writes.push('x'.repeat(30_000));
  assert.deepEqual(
    written.map((packets) => packets.length),
    [3, 3, 3],
  );
});

test('a closed room writes nothing', async () => {
  const { writes, written, pass, endOfTurn } = startRoom();
  writes.push('a');
  writes.clear();
  await endOfTurn();
  pass(10);
  assert.deepEqual(written, []);
});
