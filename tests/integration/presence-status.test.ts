/** An acknowledged status applies to every room that is entered afterwards. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@maru/protocol';
import { eventually, user } from '../../services/gateway/src/presence/testing/rig.ts';
import { GRACE_MS, type PresenceSetup, usePresence } from './presence-setup.ts';

/** The default times, with which statuses are reported later than users who enter. */
const TIMING = { batchMs: 20, statusBatchMs: 500 };
const USERS = 12;
const ids = Array.from({ length: USERS }, (_, index) => `u${index}`);

const twoNodes = async (setup: PresenceSetup) =>
  [await setup.startNode('gw-a', TIMING), await setup.startNode('gw-b', TIMING)] as const;

/** All ids that a viewer was ever shown. */
const everShown = (diffs: ReadonlyArray<{ joins: Array<{ id: string }> }>) =>
  diffs.flatMap(({ joins }) => joins.map(({ id }) => id));

describe('an acknowledged status', () => {
  const setup = usePresence();

  it('applies to a room that is entered on the same node or on another one', async () => {
    const [a, b] = await twoNodes(setup);
    const viewer = await setup.watch(b, 'lobby');
    for (const [index, id] of ids.entries()) {
      await a.port.setStatus(id, 'invisible');
      (index % 2 === 0 ? a : b).port.enter('lobby', user(id));
    }
    b.port.enter('lobby', user('visible'));
    await eventually(() => viewer.ids === 'visible', 'the visible user is shown');
    await sleep(1_000);
    assert.deepEqual(everShown(viewer.diffs), ['visible']);
  });

  it('applies to a user who is in other rooms, on either node', async () => {
    const [a, b] = await twoNodes(setup);
    for (const id of ids) a.port.enter('den', user(id));
    await eventually(async () => (await setup.shown(b, 'den')).split(',').length === USERS, 'all are in the den');
    const viewer = await setup.watch(b, 'lobby');
    for (const [index, id] of ids.entries()) {
      await a.port.setStatus(id, 'invisible');
      (index % 2 === 0 ? a : b).port.enter('lobby', user(id));
    }
    await eventually(async () => (await setup.shown(b, 'den')) === '', 'nobody is shown in the den');
    assert.deepEqual(everShown(viewer.diffs), []);
  });

  it('is the later one if it was set on two nodes', async () => {
    const [a, b] = await twoNodes(setup);
    a.port.enter('lobby', user('u1'));
    b.port.enter('lobby', user('u1'));
    await a.port.setStatus('u1', 'away', 'lunch');
    await b.port.setStatus('u1', 'dnd', 'back');
    await eventually(async () => (await a.port.snapshot('lobby')).users?.[0]?.text === 'back', 'the later is shown');
    await sleep(700);
    assert.equal((await a.port.snapshot('lobby')).users?.[0]?.status, 'dnd');
  });

  it('applies to the next visit if it is set after the last room was left', async () => {
    const [a, b] = await twoNodes(setup);
    a.port.enter('lobby', user('u1'));
    await a.port.setStatus('u1', 'away');
    await eventually(async () => (await setup.shown(a, 'lobby')) === 'u1', 'the user is shown');
    a.port.leave('lobby', 'u1');
    await a.port.setStatus('u1', 'invisible');
    // The service forgets the visit after the grace period and some more.
    await eventually(
      async () => (await setup.admin.zcard('maru:presence:{user:u1}:rooms')) === 0,
      'the visit is forgotten',
      20 * GRACE_MS,
    );
    const viewer = await setup.watch(a, 'lobby');
    b.port.enter('lobby', user('u1'));
    b.port.enter('lobby', user('u2'));
    await eventually(() => viewer.ids === 'u2', 'the visible user is shown');
    assert.deepEqual(everShown(viewer.diffs), ['u2']);
  });

  it('is kept for longer than a minute before the first room', async () => {
    const [a] = await twoNodes(setup);
    await a.port.setStatus('u1', 'invisible', 'x'.repeat(LIMITS.statusTextCharsMax));
    assert((await setup.admin.pttl('maru:presence:{user:u1}:status')) > 600_000);
  });

  it('is not acknowledged while the service is down', async () => {
    const [a] = await twoNodes(setup);
    a.port.enter('lobby', user('u1'));
    await setup.stopService();
    await assert.rejects(a.port.setStatus('u1', 'invisible'), { code: 'unavailable' });
  });
});
