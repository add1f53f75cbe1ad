import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLogger } from './logger.ts';
import type { Outbox } from './outbox.ts';
import { createOutboxStore } from './outbox-store.ts';

const place = (value: string | null = null) => ({
  value,
  load() {
    return this.value;
  },
  save(next: string) {
    this.value = next;
  },
});

it('loads waiting messages in order, with the same ids', () => {
  const storage = place();
  const item = { room: 'a', failedTries: 3, waitsSinceMs: 7 };
  const outbox: Outbox = [
    {
      ...item,
      clientMsgId: '1',
      content: { type: 'send', text: 'one' },
      queuedAtMs: 5,
      progress: { kind: 'in-flight' },
    },
    {
      ...item,
      clientMsgId: '2',
      content: { type: 'send', text: 'two', thread: 3, mentions: ['u'] },
      queuedAtMs: 6,
      progress: { kind: 'waiting', notBeforeMs: 9 },
    },
  ];
  createOutboxStore(storage, silentLogger, () => 100).save(outbox);
  const loaded = createOutboxStore(storage, silentLogger, () => 100).load();
  assert.deepEqual(
    loaded,
    outbox.map((stored) => ({
      ...stored,
      failedTries: 0,
      waitsSinceMs: 100,
      progress: { kind: 'waiting', notBeforeMs: 100 },
    })),
  );
});

for (const value of [
  '',
  '{',
  '{}',
  '[null]',
  '[["A b","1","x",1]]',
  '[["a","","x",1]]',
  '[["a","1","  ",1]]',
  '[["a","1","x"]]',
]) {
  it(`ignores stored ${JSON.stringify(value)}`, () => {
    assert.deepEqual(createOutboxStore(place(value), silentLogger, () => 0).load(), []);
  });
}

it('reports storage that cannot be written, and continues', () => {
  const warnings: string[] = [];
  const logger = { debug: () => {}, warn: (message: string) => void warnings.push(message) };
  const full = {
    load: () => null,
    save: () => {
      throw new Error('quota');
    },
  };
  createOutboxStore(full, logger, () => 0).save([]);
  assert.equal(warnings.length, 1);
});
