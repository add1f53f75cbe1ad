import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { type Asked, checkTarget, type DoneAct, type Seen } from './race-check.ts';

const entry = (seq: number, user: string): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1_000 + seq,
  n: seq,
  type: 'text',
  from: { id: user, name: user },
  clientMsgId: `m${seq}`,
  text: 'x',
});
const history = [entry(1, 'target'), entry(2, 'mina'), entry(3, 'target'), entry(4, 'mina')];
const ban: DoneAct = { name: 'ban', target: 'target', seq: 3, untilTs: undefined, ackedAtMs: 1_003 };
const seen = (seq: number, atMs = 1_003): Seen => ({ connection: 'c', road: 'live', seq, atMs });
const asked = (change: Partial<Asked>): Asked => ({
  connection: 'c',
  event: 'history:read',
  askedAtMs: 1_000,
  answeredAtMs: change.askedAtMs ?? 1_000,
  outcome: 'ok',
  ...change,
});
const empty = { seen: [], asked: [] };

test('accepts everything before the act, and refusals after it', () => {
  const log = {
    seen: [seen(2), seen(3)],
    asked: [
      asked({}),
      asked({ event: 'message:send', seq: 3 }),
      asked({ askedAtMs: 1_010, outcome: 'forbidden' }),
      asked({ askedAtMs: 1_010, outcome: 'cut' }),
    ],
  };
  assert.deepEqual(checkTarget(ban, history, log), []);
});

test('reports entries, acknowledgements, deliveries and answers above the act', () => {
  const act = { ...ban, seq: 2 };
  const log = {
    seen: [seen(3)],
    asked: [asked({ event: 'message:send', seq: 3 }), asked({ askedAtMs: 1_004 })],
  };
  assert.deepEqual(checkTarget(act, history, log), [
    'ban: 3 of the target is stored above the act 2',
    'ban: c had 3 acknowledged above the act 2',
    'ban: history:read of c was served 1.0 ms after the act',
    'ban: c got 3 above the act 2, by live',
  ]);
});

test('a mute affects only writing', () => {
  const act = { ...ban, name: 'mute' as const };
  assert.deepEqual(checkTarget(act, history, { seen: [seen(4)], asked: [asked({ askedAtMs: 1_010 })] }), []);
  assert.equal(checkTarget({ ...act, seq: 2 }, history, empty).length, 1);
});

test('a kick has no effect after its end', () => {
  const act = { ...ban, name: 'kick briefly' as const, seq: 1, untilTs: 1_003 };
  assert.deepEqual(checkTarget(act, history, empty), []);
  assert.equal(checkTarget({ ...act, untilTs: 1_004 }, history, empty).length, 1);
});

test('a revocation takes effect within a second after its answer', () => {
  const act = { ...ban, name: 'revoke' as const, seq: undefined, ackedAtMs: 3 };
  assert.deepEqual(checkTarget(act, history, { seen: [seen(4, 1_000)], asked: [] }), []);
  const found = checkTarget({ ...act, ackedAtMs: 2 }, history, { seen: [seen(4, 1_004)], asked: [] });
  assert.deepEqual(found, [
    'revoke: 3 of the target is stored after the revocation',
    'revoke: c got 4 after the revocation, by live',
  ]);
});
