import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ActEntries } from '@maru/protocol/events';
import { applyAct, detailsOf, type RoomDetails } from './room-details.ts';
import { entry, joined } from './testing/entries.ts';

const ME = 'me';
const BEFORE: RoomDetails = {
  role: 'moderator',
  visibility: 'public',
  title: 'Tea',
  topic: 'Green',
  readOnly: false,
  slowModeS: 0,
  mutedUntilTs: null,
};
const act = <T extends keyof ActEntries>(type: T, data: ActEntries[T]) => ({ ...entry(1), type, data });

it('starts with the answer to a join', () => {
  assert.deepEqual(detailsOf(joined([], 0)), { ...BEFORE, role: 'member', title: '', topic: '' });
  const more = { topic: 'Green', readOnly: true as const, slowModeS: 5, mutedUntilTs: 0 };
  assert.deepEqual(detailsOf({ ...joined([], 0), ...more, title: 'Tea', role: 'moderator' }), { ...BEFORE, ...more });
});

const CHANGES: Array<[string, ReturnType<typeof act>, Partial<RoomDetails>]> = [
  ['a title', act('room.update', { title: 'Coffee' }), { title: 'Coffee' }],
  ['no topic', act('room.update', { topic: '' }), { topic: '' }],
  ['rules', act('room.update', { readOnly: true, slowModeS: 30 }), { readOnly: true, slowModeS: 30 }],
  ['a closed room', act('room.update', { closed: true }), {}],
  ['the own role', act('room.role', { user: ME, role: 'owner' }), { role: 'owner' }],
  ['the role of another', act('room.role', { user: 'other', role: 'owner' }), {}],
  ['an own ban', act('room.ban', { user: ME }), { role: 'member' }],
  ['a mute with an end', act('room.mute', { user: ME, untilTs: 7 }), { mutedUntilTs: 7 }],
  ['a mute for good', act('room.mute', { user: ME }), { mutedUntilTs: 0 }],
  ['a mute of another', act('room.mute', { user: 'other' }), {}],
  ['an unmute', act('room.unmute', { user: ME }), { mutedUntilTs: null }],
  ['an invitation', act('room.invite', { user: ME }), {}],
];
for (const [name, stored, change] of CHANGES) {
  it(`after ${name}, holds ${JSON.stringify(change)}`, () => {
    assert.deepEqual(applyAct(BEFORE, ME, stored), { ...BEFORE, ...change });
  });
}

it('ends a mute when it is lifted, and when one becomes an owner', () => {
  const after = (stored: ReturnType<typeof act>) => applyAct({ ...BEFORE, mutedUntilTs: 0 }, ME, stored).mutedUntilTs;
  assert.equal(after(act('room.unmute', { user: ME })), null);
  assert.equal(after(act('room.role', { user: ME, role: 'moderator' })), 0);
  assert.equal(after(act('room.role', { user: ME, role: 'owner' })), null);
});

it('returns the same object for messages and unknown types', () => {
  for (const other of [entry(1), { ...entry(1), type: 'room.new', data: { user: ME } }])
    assert.equal(applyAct(BEFORE, ME, other), BEFORE);
});
