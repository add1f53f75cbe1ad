import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLogger } from './logger.ts';
import type { Outbox } from './outbox.ts';
import { createOutboxStore } from './outbox-store.ts';
import { memoryPlace } from './testing/memory-place.ts';

const item = { room: 'a', failedTries: 3, waitsSinceMs: 7, queuedAtMs: 5 };
const waiting = { kind: 'waiting', notBeforeMs: 9 } as const;
const OUTBOX: Outbox = [
  { ...item, clientMsgId: '1', content: { type: 'send', text: 'one' }, progress: { kind: 'in-flight' } },
  { ...item, clientMsgId: '2', content: { type: 'send', text: 'two', thread: 3, mentions: ['u'] }, progress: waiting },
  { ...item, clientMsgId: '3', content: { type: 'edit', seq: 4, text: 'three' }, progress: waiting },
  { ...item, clientMsgId: '4', content: { type: 'delete', seq: 4, reason: 'spam' }, progress: waiting },
  { ...item, clientMsgId: '5', content: { type: 'react', seq: 4, emoji: '👍', active: true }, progress: waiting },
  { ...item, clientMsgId: '6', content: { type: 'pin', seq: 4, active: false }, progress: waiting },
];

it('loads waiting messages and acts in order, with the same ids', () => {
  const storage = memoryPlace();
  assert.equal(createOutboxStore(storage, silentLogger, () => 100).save(OUTBOX), true);
  const loaded = createOutboxStore(storage, silentLogger, () => 100).load();
  assert.deepEqual(
    loaded,
    OUTBOX.map((stored) => ({
      ...stored,
      failedTries: 0,
      waitsSinceMs: 100,
      progress: { kind: 'waiting', notBeforeMs: 100 },
    })),
  );
});

it('does not send messages after a reload that had failed before', () => {
  const storage = memoryPlace();
  const error = { code: 'forbidden', message: 'no', retryable: false } as const;
  const failed: Outbox = [
    { ...item, clientMsgId: '1', content: { type: 'send', text: 'one' }, progress: { kind: 'failed', error } },
  ];
  createOutboxStore(storage, silentLogger, () => 0).save(failed);
  assert.deepEqual(createOutboxStore(storage, silentLogger, () => 0).load()[0]?.progress, { kind: 'failed', error });
});

it('writes nothing if the stored content stays the same', () => {
  const storage = memoryPlace();
  const store = createOutboxStore(storage, silentLogger, () => 0);
  store.save(OUTBOX);
  store.save(OUTBOX.map((one) => ({ ...one, progress: { kind: 'in-flight' } })));
  assert.equal(storage.saves, 1);
});

const message = { room: 'a', id: '1', content: { type: 'send', text: 'x' }, atMs: 1 };
for (const one of [
  null,
  { ...message, room: 'A b' },
  { ...message, id: '' },
  { ...message, atMs: '1' },
  { ...message, content: { type: 'send', text: '  ' } },
  { ...message, content: { type: 'edit', text: 'x' } },
  { ...message, content: { type: 'shout', text: 'x' } },
  { ...message, failed: 'no' },
]) {
  it(`ignores a stored ${JSON.stringify(one)}`, () => {
    const place = memoryPlace(JSON.stringify({ v: 1, items: [one, message] }));
    assert.equal(createOutboxStore(place, silentLogger, () => 0).load().length, 1);
  });
}

for (const value of ['', '{', '{}', '[]', '7', '{"v":2,"items":[]}']) {
  it(`starts with an empty outbox after ${JSON.stringify(value)}`, () => {
    assert.deepEqual(createOutboxStore(memoryPlace(value), silentLogger, () => 0).load(), []);
  });
}

it('reports storage that cannot be written', () => {
  const warnings: string[] = [];
  const logger = { debug: () => {}, warn: (text: string) => void warnings.push(text) };
  const full = memoryPlace();
  full.isFull = true;
  assert.equal(createOutboxStore(full, logger, () => 0).save(OUTBOX), false);
  assert.equal(warnings.length, 1);
});
