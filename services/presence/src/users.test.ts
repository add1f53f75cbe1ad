/** Single users, as another user may see them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UserPresence } from '@maru/presence-api';
import { useService } from './testing/fixture.ts';
import { enter, eventually, leave, request, SHORT, setStatus } from './testing/harness.ts';

describe('the presence of single users', () => {
  const service = useService();

  const of = async (reader: string, ...users: string[]): Promise<UserPresence[]> => {
    const { status, body } = await request(service.baseUrl, '/v1/users', { reader, users });
    assert.equal(status, 200);
    return (body as { users: UserPresence[] }).users;
  };
  const become = async (id: string, status: string, isOutside = false) => {
    await request(service.baseUrl, `/v1/users/${id}/status`, { status, isOutside });
  };
  const whenSeen = async (id: string) => (await of('reader', id))[0]?.lastSeenTs;

  it('is that of all nodes, and says who is in a room of the reader', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'reader'), enter('lobby', 'u1'), enter('den', 'u2'));
    await a.report([setStatus('u1', 'dnd', 'writing')]);
    assert.deepEqual(await of('reader', 'u1', 'u2', 'u3'), [
      { id: 'u1', isNear: true, status: 'dnd', text: 'writing' },
      { id: 'u2', isNear: false, status: 'online' },
      { id: 'u3', isNear: false, status: 'offline' },
    ]);
  });

  it('names the time at which a user left the last room', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'u1'), enter('den', 'u1'));
    await a.report([leave('lobby', 'u1')]);
    const leftFrom = Date.now();
    await a.report([leave('den', 'u1')]);
    const leftUntil = Date.now();
    await eventually(async () => (await of('reader', 'u1'))[0]?.status === 'offline', 'the user is offline', 6_000);
    const seen = (await whenSeen('u1')) ?? 0;
    assert(seen >= leftFrom - 1 && seen <= leftUntil + 1, `${seen} is not within ${leftFrom} and ${leftUntil}`);
    await a.report([enter('lobby', 'u1')]);
    assert.deepEqual(await of('reader', 'u1'), [{ id: 'u1', isNear: false, status: 'online' }]);
  });

  it('shows an invisible user as a user who left when becoming invisible', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'reader'), enter('lobby', 'u1'));
    const before = Date.now();
    await become('u1', 'invisible');
    const [shown] = await of('reader', 'u1');
    const { lastSeenTs = 0, ...rest } = shown as UserPresence;
    assert.deepEqual(rest, { id: 'u1', isNear: false, status: 'offline' });
    assert(lastSeenTs >= before - 1);
    await become('u1', 'invisible');
    await a.report([leave('lobby', 'u1')]);
    await eventually(
      async () => (await service.admin.exists('maru:presence:{user:u1}:rooms')) === 0,
      'the user left',
      SHORT.leaveGraceMs + 6_000,
    );
    assert.equal(await whenSeen('u1'), lastSeenTs);
  });

  it('does not change when a user without a room becomes invisible', async () => {
    await service.startNode('gw-a');
    await become('u1', 'invisible', true);
    assert.deepEqual(await of('reader', 'u1'), [{ id: 'u1', isNear: false, status: 'offline' }]);
  });

  it('is refused for more users than the limit', async () => {
    const users = Array.from({ length: 101 }, (_, index) => `u${index}`);
    assert.equal((await request(service.baseUrl, '/v1/users', { reader: 'reader', users })).status, 400);
  });
});
