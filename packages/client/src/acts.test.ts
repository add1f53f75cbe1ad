import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Role } from '@maru/protocol/events';
import { type ActName, actOf, mayDo } from './acts.ts';
import { entry } from './testing/entries.ts';

const ROLES: Role[] = ['member', 'moderator', 'owner'];

/** For each act, the pairs of own and target role that allow it: `moderator>member`. */
const ON_OTHERS: Record<string, string[]> = {
  kick: ['moderator>member', 'owner>member', 'owner>moderator'],
  ban: ['moderator>member', 'owner>member', 'owner>moderator'],
  mute: ['moderator>member', 'owner>member', 'owner>moderator'],
  role: ['owner>member', 'owner>moderator'],
};
for (const [act, allowed] of Object.entries(ON_OTHERS)) {
  it(`${act} is allowed for a higher role on a lower one`, () => {
    for (const ownRole of ROLES)
      for (const targetRole of ROLES) {
        const may = mayDo(act as ActName, { ownRole, targetRole, visibility: 'public' });
        assert.equal(may, allowed.includes(`${ownRole}>${targetRole}`), `${ownRole} on ${targetRole}`);
      }
  });
}

const rolesFor = (act: ActName, visibility: 'public' | 'private') =>
  ROLES.filter((ownRole) => mayDo(act, { ownRole, visibility }));

const ON_ROOMS: Array<[ActName, inPublic: Role[], inPrivate: Role[]]> = [
  ['update', ['moderator', 'owner'], ['moderator', 'owner']],
  ['bans', ['moderator', 'owner'], ['moderator', 'owner']],
  ['reports', ['moderator', 'owner'], ['moderator', 'owner']],
  ['unban', ['moderator', 'owner'], ['moderator', 'owner']],
  ['unmute', ['moderator', 'owner'], ['moderator', 'owner']],
  ['invite', [], ['moderator', 'owner']],
  ['quit', [], ROLES],
  ['delete', ['owner'], ['owner']],
  ['report', ROLES, ROLES],
];
for (const [act, inPublic, inPrivate] of ON_ROOMS) {
  it(`${act} is allowed to ${inPublic.join(', ') || 'no role'} in public rooms`, () => {
    assert.deepEqual(rolesFor(act, 'public'), inPublic);
    assert.deepEqual(rolesFor(act, 'private'), inPrivate);
  });
}

it('allows nothing on oneself, except a step down', () => {
  for (const ownRole of ROLES) {
    const self = { ownRole, targetRole: ownRole, isSelf: true, visibility: 'public' } as const;
    for (const act of ['kick', 'ban', 'mute', 'report'] as const) assert.equal(mayDo(act, self), false, act);
    assert.equal(mayDo('role', self), ownRole !== 'member');
  }
});

it('ranks admins above owners', () => {
  const onOwner = { ownRole: 'admin', targetRole: 'owner', visibility: 'public' } as const;
  for (const act of ['kick', 'ban', 'mute', 'role', 'delete'] as const) assert.equal(mayDo(act, onOwner), true, act);
});

it('reads acts from entries, and ignores other entries', () => {
  assert.deepEqual(actOf({ ...entry(1), type: 'room.ban', data: { user: 'u' } }), { type: 'room.ban', user: 'u' });
  for (const other of [entry(1), { ...entry(1), type: 'room.ban' }, { ...entry(1), type: 'toString', data: {} }])
    assert.equal(actOf(other), null);
});
