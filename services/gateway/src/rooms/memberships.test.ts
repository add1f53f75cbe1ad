import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type InboxEvent, MaruError, type Role, type SendData } from '@maru/protocol';
import type { Act } from '../log/room-log.ts';
import { noteDeletions, noteMemberships } from './memberships.ts';

const ROOM = 'p-tea';
const MINA = { user: { id: 'mina', name: 'Mina' }, roles: [] };
const SENT: SendData = { epoch: '1.a', seq: 2, ts: 1, n: 0, duplicate: false };

/** Records every step in order. `act` stands for the log. */
function rigOf(act: () => Promise<SendData | undefined> = async () => SENT, roles: Record<string, Role> = {}) {
  const steps: string[] = [];
  const told: Array<[string, InboxEvent]> = [];
  const known: Record<string, Role> = { mina: 'owner', jun: 'member', ...roles };
  const options = {
    roomList: {
      add: async (userId: string, room: string) => {
        steps.push(`add ${userId} ${room}`);
        return { settle: () => void steps.push('settle'), undo: () => void steps.push('undo') };
      },
      remove: async (userId: string, room: string) => void steps.push(`remove ${userId} ${room}`),
    },
    inbox: {
      tell: (userIds: readonly string[], event: InboxEvent) => {
        for (const userId of userIds) told.push([userId, event]);
      },
    },
    room: {
      roleOf: async (_: string, userId: string) => known[userId],
      titleOf: async () => 'Tea',
      members: async () => Object.keys(known),
    },
  };
  const carryOut = noteMemberships(async () => {
    steps.push('act');
    return act();
  }, options);
  return { steps, told, options, do: (act: Act, room = ROOM, actor = MINA) => carryOut(actor, { room, act }) };
}

const refusal = (code: 'forbidden' | 'unavailable') => async () => {
  throw new MaruError(code, 'no');
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('an invitation', () => {
  test('lists the room first, and notifies the user', async () => {
    const rig = rigOf();
    await rig.do({ type: 'invite', user: 'kim' });
    await settled();
    assert.deepEqual(rig.steps, ['add kim p-tea', 'act', 'settle']);
    assert.deepEqual(rig.told, [['kim', { type: 'invite', room: ROOM, title: 'Tea', from: MINA.user }]]);
  });

  test('of a member notifies no user', async () => {
    const rig = rigOf(async () => undefined);
    await rig.do({ type: 'invite', user: 'jun' });
    await settled();
    assert.deepEqual([rig.steps, rig.told], [['add jun p-tea', 'act', 'settle'], []]);
  });

  test('is undone if it is refused, but not if its outcome is unknown', async () => {
    const refused = rigOf(refusal('forbidden'));
    await assert.rejects(refused.do({ type: 'invite', user: 'kim' }), { code: 'forbidden' });
    assert.deepEqual([refused.steps, refused.told], [['add kim p-tea', 'act', 'undo'], []]);
    const unknown = rigOf(refusal('unavailable'));
    await assert.rejects(unknown.do({ type: 'invite', user: 'kim' }), { code: 'unavailable' });
    assert.deepEqual([unknown.steps, unknown.told], [['add kim p-tea', 'act', 'settle'], []]);
  });

  test('by a user who may not invite changes no list', async () => {
    const rig = rigOf(refusal('forbidden'));
    const jun = { user: { id: 'jun', name: 'Jun' }, roles: [] };
    await assert.rejects(rig.do({ type: 'invite', user: 'kim' }, ROOM, jun), { code: 'forbidden' });
    assert.deepEqual(rig.steps, ['act']);
  });
});

describe('the end of a membership', () => {
  for (const [act, reason] of [
    [{ type: 'kick', user: 'jun', forMs: undefined, reason: undefined }, 'kicked'],
    [{ type: 'ban', user: 'jun', forMs: undefined, reason: undefined }, 'banned'],
    [{ type: 'leave', user: 'jun' }, 'left'],
  ] as const)
    test(`by ${act.type} comes first, then the list, then the inbox event`, async () => {
      const rig = rigOf();
      await rig.do(act);
      assert.deepEqual(rig.steps, ['act', 'remove jun p-tea']);
      assert.deepEqual(rig.told, [['jun', { type: 'removed', room: ROOM, reason }]]);
    });

  test('only repairs the list if it was stored before', async () => {
    const rig = rigOf(async () => ({ ...SENT, duplicate: true }));
    await rig.do({ type: 'leave', user: 'jun' });
    assert.deepEqual([rig.steps, rig.told], [['act', 'remove jun p-tea'], []]);
  });

  test('is not announced to a banned user who was not a member', async () => {
    const rig = rigOf();
    await rig.do({ type: 'ban', user: 'stranger', forMs: undefined, reason: undefined });
    assert.deepEqual(rig.told, []);
  });

  test('does not apply to public rooms and other acts', async () => {
    const rig = rigOf();
    await rig.do({ type: 'kick', user: 'jun', forMs: undefined, reason: undefined }, 'tea');
    await rig.do({ type: 'role', user: 'jun', role: 'owner' });
    assert.deepEqual([rig.steps, rig.told], [['act', 'act'], []]);
  });
});

test('the members of a deleted room are notified only if it was deleted', async () => {
  const rig = rigOf();
  await noteDeletions(async () => {}, rig.options)(MINA, ROOM);
  assert.deepEqual(
    rig.told.map(([user, event]) => [user, event.type]),
    [
      ['mina', 'removed'],
      ['jun', 'removed'],
    ],
  );
  const refused = rigOf();
  await assert.rejects(noteDeletions(refusal('forbidden') as () => Promise<void>, refused.options)(MINA, ROOM));
  assert.deepEqual(refused.told, []);
});
