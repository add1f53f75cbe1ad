/** `GET /presence`: shows users with whom the caller shares a room, and no others. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LIMITS, type SeenUser } from '@maru/protocol';
import { assertHttpAnswer } from '@maru/protocol/describe';
import { tokenOf } from '../support/gateways.ts';
import { assertProblem, call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type ModerationRig, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;
before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

const ask = (reader: string, query: string) =>
  call<{ users: SeenUser[] }>(rig.urlOf(1), `/presence?${query}`, { token: tokenOf(reader) });

async function seenBy(reader: string, ...users: string[]): Promise<SeenUser[]> {
  const answer = await ask(reader, users.map((user) => `user=${encodeURIComponent(user)}`).join('&'));
  assertHttpAnswer('readPresenceOfUsers', answer.status, answer.body);
  return answer.body.users;
}
const until = (what: string, check: () => Promise<boolean>) => poll(what, check, { timeoutMs: 15_000 });
const isShown = (reader: string, user: string, status: string) => async () =>
  (await seenBy(reader, user))[0]?.status === status;

describe('the presence of users', () => {
  test('is shown to users in the same room, and to no others', async () => {
    const [mina, jun, stranger] = ['mina', 'jun', 'stranger'].map((name) => `${name}-${newId()}`) as [
      string,
      string,
      string,
    ];
    const [a, b, c] = [await rig.clientOf(mina), await rig.clientOf(jun, 1), await rig.clientOf(stranger)];
    const room = newRoom('near');
    for (const client of [a, b]) await client.ok('room:join', { room });
    await c.ok('room:join', { room: newRoom('far') });
    await b.ok('presence:set', { status: 'away', text: 'lunch' });
    await until('the status', isShown(mina, jun, 'away'));
    assert.deepEqual(await seenBy(mina, stranger, jun, `nobody-${newId()}`), [
      { id: jun, status: 'away', text: 'lunch' },
    ]);
    assert.deepEqual(await seenBy(stranger, mina, jun), []);
    await b.ok('presence:set', { status: 'invisible' });
    await until('an invisible user', async () => (await seenBy(mina, jun)).length === 0);
  });

  test('is shown to members of the same private or direct room, even if they are offline', async () => {
    const { ownerId, member, memberId, room, owner } = await rig.privateRoom();
    await until('the member', isShown(ownerId, memberId, 'online'));
    const leftFrom = Date.now();
    member.close();
    await until('the end', isShown(ownerId, memberId, 'offline'));
    const [shown] = await seenBy(ownerId, memberId);
    assert((shown?.lastSeenTs ?? 0) >= leftFrom - 1_000, JSON.stringify(shown));
    await owner.ok('room:kick', { room, user: memberId });
    assert.deepEqual(await seenBy(ownerId, memberId), []);

    const friend = `friend-${newId()}`;
    await owner.ok('room:create', { visibility: 'direct', user: friend });
    assert.deepEqual(await seenBy(ownerId, friend), [{ id: friend, status: 'offline' }]);
    assert.deepEqual(await seenBy(friend, ownerId), [{ id: ownerId, status: 'online' }]);
  });

  test('is shown to oneself', async () => {
    const alone = `alone-${newId()}`;
    assert.deepEqual(await seenBy(alone, alone, alone), [{ id: alone, status: 'offline' }]);
  });

  test('is refused for bad ids, for none, and for more than 100', async () => {
    const reader = `reader-${newId()}`;
    const many = Array.from({ length: LIMITS.presenceUsersMax + 1 }, (_, index) => `user=u${index}`).join('&');
    for (const query of ['', 'user=', 'user=a&user=', 'user[a]=b', many])
      assertProblem(await ask(reader, query), 400, 'invalid', query.slice(0, 40));
    assertProblem(await call(rig.urlOf(1), '/presence?user=a'), 401, 'unauthenticated');
  });

  test('is unavailable while the presence service is down', async () => {
    await rig.presence.end('SIGKILL');
    const reader = `reader-${newId()}`;
    assertProblem(await ask(reader, `user=${reader}`), 503, 'unavailable');
  });
});
