import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActResult } from '../log/room-log.ts';
import { createCarryOut } from './acts.ts';

const NOW_MS = 1_800_000_000_000;

/** The events of the audit after an act with this result. */
async function recordedOf(outcome: 'stored' | 'duplicate', ageMs: number, waitMs = 0): Promise<string[]> {
  const recorded: string[] = [];
  const result: ActResult = { outcome, epoch: '1.a', seq: 7, ts: NOW_MS - ageMs, n: 1, untilTs: 0 };
  const carryOut = createCarryOut({
    log: { act: async () => result, read: () => assert.fail('read') },
    quota: { take: async () => waitMs, giveBack() {} },
    audit: { recordOnce: (event, name) => void recorded.push(`${event.action} ${name}`) },
    perSecond: 1,
    storeNow: () => NOW_MS,
  });
  const act = { type: 'ban', user: 'mallory', reason: undefined, forMs: undefined } as const;
  await carryOut({ user: { id: 'olga', name: 'Olga' }, roles: [] }, { room: 'tea', clientMsgId: 'b-1', act });
  return recorded;
}

test('an act is in the audit also if only its repetition was answered', async () => {
  assert.deepEqual(await recordedOf('stored', 0), ['room.ban tea 1.a 7']);
  assert.deepEqual(await recordedOf('duplicate', 20_000), ['room.ban tea 1.a 7']);
});

test('repetitions of old acts, or without quota, are not in the audit, so that they push out no others', async () => {
  assert.deepEqual(await recordedOf('duplicate', 61_000), []);
  assert.deepEqual(await recordedOf('duplicate', 0, 500), []);
});
