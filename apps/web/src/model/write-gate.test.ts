import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RoomDetails } from '@maru/client';
import { opensByTime, writeGate } from './write-gate.ts';

const OPEN: RoomDetails = {
  role: 'member',
  visibility: 'public',
  title: '',
  topic: '',
  readOnly: false,
  slowModeS: 0,
  mutedUntilTs: null,
};
const times = { nowMs: 1_000, wallMs: 50_000, clock: null, slowUntilMs: 0 };
const gate = (details: Partial<RoomDetails>, more: Partial<Parameters<typeof writeGate>[1]> = {}) =>
  writeGate({ ...OPEN, ...details }, { ...times, ...more });

it('is open in a normal room, and before the room is known', () => {
  assert.deepEqual(gate({}), { kind: 'open' });
  assert.deepEqual(writeGate(null, times), { kind: 'open' });
});

it('is shut for members of a read-only room', () => {
  assert.deepEqual(gate({ readOnly: true }), { kind: 'read-only' });
  for (const role of ['moderator', 'owner'] as const)
    assert.deepEqual(gate({ readOnly: true, slowModeS: 9, role }, { slowUntilMs: 5_000 }), { kind: 'open' });
});

it('is shut for muted users of any role until the mute ends', () => {
  assert.deepEqual(gate({ mutedUntilTs: 0, role: 'owner' }), { kind: 'muted', untilTs: null });
  assert.deepEqual(gate({ mutedUntilTs: 60_000 }), { kind: 'muted', untilTs: 60_000 });
  assert.deepEqual(gate({ mutedUntilTs: 50_000 }), { kind: 'open' });
});

it("uses the store's clock if the device's clock is behind", () => {
  const clock = { ts: 59_500, atMs: 400 };
  assert.deepEqual(gate({ mutedUntilTs: 60_000 }, { clock }), { kind: 'open' });
  assert.deepEqual(gate({ mutedUntilTs: 60_200 }, { clock }), { kind: 'muted', untilTs: 60_200 });
});

it('pauses in slow mode after an own message', () => {
  assert.deepEqual(gate({ slowModeS: 10 }, { slowUntilMs: 3_500 }), { kind: 'slow', leftS: 3 });
  assert.deepEqual(gate({ slowModeS: 10 }, { slowUntilMs: 1_000 }), { kind: 'open' });
  assert.deepEqual(gate({ slowModeS: 0 }, { slowUntilMs: 3_500 }), { kind: 'open' });
});

it('opens by itself only after a pause or at the end of a mute', () => {
  assert.equal(opensByTime({ kind: 'slow', leftS: 1 }), true);
  assert.equal(opensByTime({ kind: 'muted', untilTs: 1 }), true);
  for (const shut of [{ kind: 'muted', untilTs: null }, { kind: 'read-only' }, { kind: 'open' }] as const)
    assert.equal(opensByTime(shut), false);
});
