/** HTTP calls are refused like their events, and unreadable requests are refused as `invalid`. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ClientEventName } from '@maru/protocol';
import { EVENT_CALLS, type EventCall, type EventCallName } from '@maru/protocol/calls';
import type { TestClient } from '../support/client.ts';
import { tokenOf } from '../support/gateways.ts';
import { assertProblem, call, type Problem } from '../support/http.ts';
import { newId } from '../support/tokens.ts';
import { type HttpRig, type Options, type Path, startHttpRig } from './http-setup.ts';
import { message } from './moderation-setup.ts';

let rig: HttpRig;
before(async () => {
  rig = await startHttpRig();
});
after(() => rig?.stop());

/** A request as an event and as a call. */
type Pair = [event: ClientEventName, payload: object, name: EventCallName, path?: Path, options?: Options];

const LONG = 'x'.repeat(4_001);
const on = { seq: 1 };

const pairsOf = (user: string): Pair[] => [
  ['room:update', { title: 'x' }, 'updateRoom', {}, { body: { title: 'x' } }],
  ['room:update', {}, 'updateRoom'],
  ['room:delete', {}, 'deleteRoom'],
  ['room:members', {}, 'listMembers'],
  ['room:invite', { user: 'sora' }, 'inviteMember', { user: 'sora' }],
  ['room:role', { user, role: 'moderator' }, 'setRole', { user }, { body: { role: 'moderator' } }],
  ['room:role', { user, role: 'king' }, 'setRole', { user }, { body: { role: 'king' } }],
  ['room:kick', { user }, 'kickMember', { user }],
  ['room:ban', { user, forMs: 1 }, 'banMember', { user }, { body: { forMs: 1 } }],
  ['room:ban', { user }, 'banMember', { user }],
  ['room:unban', { user }, 'unbanMember', { user }],
  ['room:mute', { user }, 'muteMember', { user }],
  ['room:unmute', { user }, 'unmuteMember', { user }],
  ['room:bans', {}, 'listBans'],
  ['room:reports', {}, 'listReports'],
  ['room:report-close', { id: '1:x' }, 'closeReport', { id: '1:x' }],
  ['message:report', { seq: 99, reason: 'spam' }, 'reportMessage', { seq: 99 }, { body: { reason: 'spam' } }],
  ['message:report', { ...on, reason: '' }, 'reportMessage', on, { body: { reason: '' } }],
  ['history:read', {}, 'readMessages'],
  ['messages:read', {}, 'readMessages', {}, { query: { view: 'messages' } }],
  ['messages:read', { thread: 99 }, 'readMessages', {}, { query: { view: 'messages', thread: '99' } }],
  ['message:send', { text: 'x' }, 'postMessage', {}, { body: { text: 'x' } }],
  ['message:send', { text: ' ' }, 'postMessage', {}, { body: { text: ' ' } }],
  ['message:send', { text: LONG }, 'postMessage', {}, { body: { text: LONG } }],
  ['message:send', { text: 'x', thread: 99 }, 'postMessage', {}, { body: { text: 'x', thread: 99 } }],
  ['message:send', { text: 'x', mentions: ['@room'] }, 'postMessage', {}, { body: { text: 'x', mentions: ['@room'] } }],
  ['message:edit', { ...on, text: 'x' }, 'editMessage', on, { body: { text: 'x' } }],
  ['message:edit', { seq: 99, text: 'x' }, 'editMessage', { seq: 99 }, { body: { text: 'x' } }],
  ['message:react', { ...on, emoji: 'tea', active: true }, 'addReaction', { ...on, emoji: 'tea' }],
  ['message:react', { seq: 99, emoji: '☕', active: true }, 'addReaction', { seq: 99, emoji: '☕' }],
  ['message:react', { seq: 99, emoji: '☕', active: false }, 'removeReaction', { seq: 99, emoji: '☕' }],
  ['message:react', { seq: 0, emoji: '☕', active: false }, 'removeReaction', { seq: 0, emoji: '☕' }],
  ['message:pin', { ...on, active: true }, 'pinMessage', on],
  ['message:pin', { seq: 99, active: false }, 'unpinMessage', { seq: 99 }],
  ['message:delete', on, 'deleteMessage', on],
  ['room:follow', { active: true, notify: 'x' }, 'followRoom', {}, { body: { notify: 'x' } }],
  ['room:follow', { active: true }, 'followRoom'],
  ['room:follow', { active: false }, 'unfollowRoom'],
  ['room:read', on, 'setReadPosition', {}, { body: on }],
  ['room:readers', {}, 'listReaders'],
  ['typing', { active: true }, 'showTyping', {}, { body: { active: true } }],
  ['typing', {}, 'showTyping'],
];
const QUIT: Pair = ['room:quit', {}, 'quitRoom'];

/**
 * Sends each request on a socket and over HTTP. Both must succeed, or have the same refusal.
 * Returns the number of refusals.
 */
async function compare(client: TestClient, user: string, room: string, pairs: Pair[]): Promise<number> {
  let refused = 0;
  for (const [event, payload, name, path = {}, options = {}] of pairs) {
    const ack = await client.request(event, { room, clientMsgId: newId(), ...payload } as never);
    const { status, body } = await rig.ask(user, name, { room, ...path }, options);
    const what = `${event} of ${user}: ${JSON.stringify(ack)}, and ${name} ${JSON.stringify(body)}`;
    if (ack.ok) assert(status < 300, what);
    else {
      refused++;
      assert(!['internal', 'unavailable', 'rate_limited'].includes(ack.error.code), what);
      const { code, detail, retryable } = body as unknown as Problem;
      const { message: why, ...error } = ack.error;
      assert.deepEqual(
        { code, message: detail, retryable },
        { code: error.code, message: why, retryable: error.retryable },
        what,
      );
    }
  }
  return refused;
}

describe('refusals are the same as for the event', () => {
  test('of a stranger to a private and to a direct room', async () => {
    const stranger = `stranger-${newId()}`;
    const client = await rig.clientOf(stranger);
    const { room, owner, memberId } = await rig.privateRoom();
    await owner.ok('message:send', message(room));
    const direct = await owner.ok('room:create', { visibility: 'direct', user: memberId });
    const pairs = [...pairsOf(memberId), QUIT];
    for (const hidden of [room, direct.room])
      assert.equal(await compare(client, stranger, hidden, pairs), pairs.length);
  });

  test('of a member without rights', async () => {
    const { room, owner, member, memberId, ownerId } = await rig.privateRoom();
    await owner.ok('message:send', message(room));
    assert((await compare(member, memberId, room, pairsOf(ownerId))) > 20);
    const direct = await owner.ok('room:create', { visibility: 'direct', user: memberId });
    await owner.ok('message:send', message(direct.room));
    assert((await compare(member, memberId, direct.room, [...pairsOf(ownerId), QUIT])) > 20);
  });

  test('of a banned user and of a muted user', async () => {
    for (const act of ['room:ban', 'room:mute'] as const) {
      const { room, owner, member, memberId, ownerId } = await rig.publicRoom();
      await owner.ok('message:send', message(room));
      await owner.ok(act, { room, user: memberId });
      assert((await compare(member, memberId, room, [...pairsOf(ownerId), QUIT])) > 25);
    }
  });
});

test('the owner of a direct room is absent: its creation names the other user', async () => {
  for (const body of [{ visibility: 'direct' }, { visibility: 'direct', user: 'mina' }, { room: 'd-x' }, {}, undefined])
    assertProblem(await rig.ask('mina', 'createRoom', {}, { body }), 400, 'invalid', JSON.stringify(body));
});

describe('unreadable requests are invalid', () => {
  const calls = Object.entries(EVENT_CALLS) as Array<[EventCallName, EventCall]>;
  const fill = (template: string, values: Record<string, string>) =>
    template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '1');
  const send = (method: string, path: string, options: object = {}) =>
    call(rig.urlOf(0), path, { method, token: tokenOf('mina'), headers: { 'idempotency-key': newId() }, ...options });
  const GOOD = { room: 'tea', user: 'jun', emoji: '%E2%98%95' };

  test('bodies', async () => {
    const bodies = [
      '',
      ' ',
      '{',
      '[]',
      '[{}]',
      '5',
      'null',
      '"x"',
      '{"text":',
      'text=x',
      '\u0000',
      `${'['.repeat(99)}${']'.repeat(99)}`,
    ];
    for (const [name, { method, path }] of calls) {
      if (method === 'GET' || method === 'DELETE') continue;
      for (const body of bodies) {
        const answer = await send(method, fill(path, GOOD), { body });
        if (body.trim() !== '') assertProblem(answer, 400, 'invalid', `${name} ${body}`);
        // Without members, some calls are valid.
        else assert(answer.status < 500, `${name}: ${answer.status}`);
      }
      const large = await send(method, fill(path, GOOD), { body: { text: 'x'.repeat(200_000) } });
      assertProblem(large, 413, 'too_large', name);
    }
  });

  test('paths', async () => {
    for (const [name, { method, path }] of calls) {
      for (const bad of ['%ff', '%e2%98', '%', '%zz', '%00', '%2f', '..%2f..', 'A', 'x'.repeat(65)])
        if (path.includes('{room}')) {
          const { status } = await send(method, fill(path, { ...GOOD, room: bad }));
          assert([400, 404].includes(status), `${name} ${bad}: ${status}`);
        }
      for (const bad of ['%ff', '%', '%00', '%0a', 'tea', 'x'.repeat(3_000)])
        if (path.includes('{emoji}'))
          assertProblem(await send(method, fill(path, { ...GOOD, emoji: bad })), 400, 'invalid', `${name} ${bad}`);
      for (const bad of ['0', '-1', '1.5', 'x', '1e3', '0x1', '9'.repeat(17), '%31%ff'])
        if (path.includes('{seq}'))
          assertProblem(
            await send(method, path.replace('{seq}', bad).replace(/\{\w+\}/g, 'tea')),
            400,
            'invalid',
            `${name} ${bad}`,
          );
    }
  });

  test('a missing or invalid Idempotency-Key, if the event needs an id', async () => {
    const { room, ownerId } = await rig.publicRoom();
    const required = ['updateRoom', 'quitRoom', 'postMessage', 'editMessage', 'deleteMessage', 'addReaction'] as const;
    for (const name of [...required, 'removeReaction', 'pinMessage', 'unpinMessage'] as const) {
      const path = { room, seq: 1, emoji: '☕' };
      const body =
        EVENT_CALLS[name].method === 'DELETE' || EVENT_CALLS[name].method === 'PUT'
          ? {}
          : { body: { text: 'x', title: 'x' } };
      assertProblem(await rig.ask(ownerId, name, path, { ...body, key: null }), 400, 'invalid', name);
      assertProblem(await rig.ask(ownerId, name, path, { ...body, key: 'x'.repeat(65) }), 400, 'invalid', name);
    }
  });

  test('other methods, which get 405 with the allowed ones', async () => {
    const allowed = new Map<string, string[]>();
    for (const [, { method, path }] of calls) allowed.set(path, [...(allowed.get(path) ?? []), method]);
    for (const [path, methods] of allowed)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        if (methods.includes(method) || path === '/rooms' || path === '/rooms/{room}' || path.endsWith('/me')) continue;
        const answer = await send(method, fill(path, GOOD));
        assertProblem(answer, 405, 'invalid', `${method} ${path}`);
        for (const one of methods) assert(answer.headers.get('allow')?.split(', ').includes(one), `${path} ${one}`);
      }
  });
});

test('a user without a valid token can do nothing', async () => {
  for (const { method, path } of Object.values(EVENT_CALLS)) {
    const filled = path.replace(/\{\w+\}/g, '1');
    assertProblem(await call(rig.urlOf(0), filled, { method }), 401, 'unauthenticated', `${method} ${path}`);
  }
});
