import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ErrorBody } from '@maru/protocol/errors';
import fc from 'fast-check';
import * as outboxes from './outbox.ts';
import { OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX, type Outbox } from './outbox.ts';

const UNAVAILABLE: ErrorBody = { code: 'unavailable', message: 'ill', retryable: true };
const FORBIDDEN: ErrorBody = { code: 'forbidden', message: 'no', retryable: false };

const add = (outbox: Outbox, clientMsgId: string, room = 'lobby', nowMs = 0): Outbox => {
  const next = outboxes.enqueue(outbox, {
    room,
    clientMsgId,
    content: { type: 'send', text: `text of ${clientMsgId}` },
    nowMs,
    queuedAtMs: 0,
  });
  assert.ok(next !== null);
  return next;
};
const dueIds = (outbox: Outbox, nowMs: number) =>
  outboxes.dueSends(outbox, nowMs).due.map(({ clientMsgId }) => clientMsgId);
const refusal = (error: ErrorBody, nowMs = 0, giveUpAfterMs: number | null = null) => ({
  error,
  nowMs,
  random: 0.5,
  giveUpAfterMs,
});

it('sends one message of a room at a time, and messages of different rooms concurrently', () => {
  const outbox = add(add(add([], 'a1', 'a'), 'a2', 'a'), 'b1', 'b');
  assert.deepEqual(dueIds(outbox, 0), ['a1', 'b1']);
  assert.deepEqual(dueIds(outboxes.markInFlight(outbox, 'a1'), 0), ['b1']);
  assert.deepEqual(dueIds(outboxes.remove(outboxes.markInFlight(outbox, 'a1'), 'a1'), 0), ['a2', 'b1']);
});

it('holds later messages while the first is retried', () => {
  const outbox = outboxes.refuse(add(add([], '1'), '2'), '1', refusal(UNAVAILABLE));
  assert.deepEqual(dueIds(outbox, 0), []);
  const { nextAtMs } = outboxes.dueSends(outbox, 0);
  assert.equal(nextAtMs, 150);
  assert.deepEqual(dueIds(outbox, 150), ['1']);
});

it('waits for the delay that the server requests', () => {
  const outbox = outboxes.refuse(
    add([], '1'),
    '1',
    refusal({ ...UNAVAILABLE, code: 'rate_limited', retryAfterMs: 2_000 }),
  );
  assert.deepEqual(dueIds(outbox, 1_999), []);
  assert.deepEqual(dueIds(outbox, 2_100), ['1']);
});

it('continues after a message that fails permanently', () => {
  const outbox = outboxes.refuse(add(add([], '1'), '2'), '1', refusal(FORBIDDEN));
  assert.deepEqual(outboxes.find(outbox, '1')?.progress, { kind: 'failed', error: FORBIDDEN });
  assert.deepEqual(dueIds(outbox, 0), ['2']);
});

it('fails a message after the given time, with or without a connection', () => {
  const tried = outboxes.refuse(add([], '1'), '1', refusal(UNAVAILABLE, 1_000, 1_000));
  assert.equal(outboxes.find(tried, '1')?.progress.kind, 'failed');
  const waited = outboxes.expire(add([], '1'), 1_000, 1_000, UNAVAILABLE);
  assert.equal(outboxes.find(waited, '1')?.progress.kind, 'failed');
  assert.equal(outboxes.find(outboxes.expire(add([], '1'), 10 ** 9, null, UNAVAILABLE), '1')?.progress.kind, 'waiting');
});

it('fails a message at once if the server asks for a wait of more than a minute', () => {
  const after = (retryAfterMs: number) => {
    const error: ErrorBody = { code: 'rate_limited', message: 'wait', retryable: true, retryAfterMs };
    return outboxes.find(outboxes.refuse(add([], '1'), '1', refusal(error)), '1')?.progress.kind;
  };
  assert.deepEqual([after(60_000), after(60_001)], ['waiting', 'failed']);
});

it('retries a failed message last, with the same id', () => {
  const failed = outboxes.refuse(add(add([], '1'), '2'), '1', refusal(FORBIDDEN));
  const again = outboxes.retry(failed, '1', 5, 0);
  assert.deepEqual(
    again.map(({ clientMsgId, content }) => [clientMsgId, content]),
    [
      ['2', { type: 'send', text: 'text of 2' }],
      ['1', { type: 'send', text: 'text of 1' }],
    ],
  );
  assert.equal(outboxes.retry(again, '2', 5, 0), again, 'what has not failed is not retried');
});

it('refuses messages beyond its limit', () => {
  let outbox: Outbox = [];
  for (let i = 0; i < OUTBOX_MESSAGES_MAX; i++) outbox = add(outbox, String(i));
  const content = { type: 'send', text: 'x' } as const;
  assert.equal(outboxes.enqueue(outbox, { room: 'r', clientMsgId: 'x', content, nowMs: 0, queuedAtMs: 0 }), null);
});

it('refuses texts beyond its bytes', () => {
  const text = '🍵'.repeat(4_000);
  const most = Math.floor(OUTBOX_BYTES_MAX / (2 * text.length));
  const items = Array.from({ length: most }, (_, i) => ({
    ...{ room: 'r', clientMsgId: `${i}`, content: { type: 'send', text } as const },
    ...{ queuedAtMs: 0, waitsSinceMs: 0, failedTries: 0, progress: { kind: 'waiting', notBeforeMs: 0 } as const },
  }));
  const outbox = outboxes.adopt([], items);
  assert.ok(outbox !== null && most < OUTBOX_MESSAGES_MAX);
  const content = { type: 'send', text } as const;
  assert.equal(outboxes.enqueue(outbox, { room: 'r', clientMsgId: 'x', content, nowMs: 0, queuedAtMs: 0 }), null);
});

it('stores every message of a room in the order sent, despite refusals and interruptions', () => {
  const act = fc.constantFrom('send', 'ok', 'refuse', 'swallow', 'interrupt', 'wait');
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80, size: 'max' }), (acts) => {
      let outbox: Outbox = [];
      let now = 0;
      let sent = 0;
      const stored: number[] = [];
      const store = (id: string) => {
        // Like the server: the same id is the same message.
        if (!stored.includes(Number(id))) stored.push(Number(id));
      };
      const pump = () => {
        for (const { clientMsgId } of outboxes.dueSends(outbox, now).due)
          outbox = outboxes.markInFlight(outbox, clientMsgId);
      };
      const inFlight = () => outbox.find(({ progress }) => progress.kind === 'in-flight')?.clientMsgId;
      for (const what of acts) {
        const id = inFlight();
        if (what === 'send') outbox = add(outbox, String(sent++), 'lobby', now);
        else if (what === 'wait') now += 60_000;
        else if (what === 'interrupt') outbox = outboxes.interrupt(outbox, now);
        else if (id !== undefined) {
          if (what !== 'refuse') store(id);
          outbox = what === 'ok' ? outboxes.remove(outbox, id) : outboxes.refuse(outbox, id, refusal(UNAVAILABLE, now));
        }
        pump();
        assert.ok(outbox.filter(({ progress }) => progress.kind === 'in-flight').length <= 1);
      }
      for (let i = 0; i < 500 && outbox.length > 0; i++) {
        now += 60_000;
        pump();
        const id = inFlight();
        if (id === undefined) continue;
        store(id);
        outbox = outboxes.remove(outbox, id);
      }
      assert.deepEqual(
        stored,
        Array.from({ length: sent }, (_, i) => i),
      );
    }),
  );
});

it('fails every message of a room that has ended, including the one in flight, and no other', () => {
  const outbox = outboxes.markInFlight(add(add(add([], 'a1', 'a'), 'a2', 'a'), 'b1', 'b'), 'a1');
  const ended = outboxes.failRoom(outbox, 'a', FORBIDDEN);
  assert.deepEqual(
    ended.map(({ progress }) => progress.kind),
    ['failed', 'failed', 'waiting'],
  );
  assert.deepEqual(dueIds(ended, 0), ['b1']);
  assert.equal(outboxes.failRoom(ended, 'a', FORBIDDEN), ended);
  assert.deepEqual(outboxes.refuse(ended, 'a1', refusal(UNAVAILABLE)), ended, 'a late answer does not revive it');
});

it('fails only the edits of a deleted message', () => {
  const acts = [
    { type: 'edit', seq: 1, text: 'a' },
    { type: 'edit', seq: 2, text: 'b' },
    { type: 'delete', seq: 1 },
  ] as const;
  const outbox = acts.reduce<Outbox>(
    (before, content, i) =>
      outboxes.enqueue(before, { room: 'lobby', clientMsgId: String(i), content, nowMs: 0, queuedAtMs: 0 }) ?? before,
    [],
  );
  const kinds = outboxes.failEdits(outbox, 'lobby', 1, FORBIDDEN).map(({ progress }) => progress.kind);
  assert.deepEqual(kinds, ['failed', 'waiting', 'waiting']);
  assert.equal(outboxes.failEdits(outbox, 'other', 1, FORBIDDEN), outbox);
});
