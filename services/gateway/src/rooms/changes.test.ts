import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MaruError } from '@maru/protocol';
import type { AuditEvent } from '../audit/audit.ts';
import { changeBytes } from '../limits/stored-bytes.ts';
import type { Change, ChangeRequest, ChangeResult } from '../log/room-log.ts';
import { createChangeMessage } from './changes.ts';
import { createChargedWrite } from './charged-write.ts';

const actor = { user: { id: 'mina', name: 'Mina' }, roles: [] as string[], revoked: false };
const at = { epoch: '1.a', seq: 7, ts: 5, n: 4 };
const stored: ChangeResult = { outcome: 'stored', ...at, mentioned: [], author: 'mina' };
const react: Change = { type: 'react', seq: 3, emoji: '👍', active: true };
const remove: Change = { type: 'delete', seq: 3, reason: 'spam' };
const edit: Change = { type: 'edit', seq: 3, text: 'x', mentions: undefined };
const pin: Change = { type: 'pin', seq: 3, active: true };
const send: Change = { type: 'send', text: 'x', thread: 3, mentions: undefined };

function rig(result: ChangeResult | Error, waitMs = 0) {
  const seen = {
    requests: [] as ChangeRequest[],
    given: [] as Array<[bytes: number, messages: number]>,
    taken: [] as number[],
    audit: [] as AuditEvent[],
    notified: [] as unknown[],
    outcomes: [] as string[],
    claims: 0,
    unclaims: 0,
  };
  const changeMessage = createChangeMessage({
    log: {
      change: async (request) => {
        seen.requests.push(request);
        if (result instanceof Error) throw result;
        return result;
      },
    },
    chargedWrite: createChargedWrite({
      quota: {
        take: (_user, bytes) => {
          seen.taken.push(bytes);
          return waitMs;
        },
        giveBack: (_user, bytes, messages = 1) => void seen.given.push([bytes, messages]),
      },
      claims: {
        mayBeEmpty: () => true,
        write: async () => {
          seen.claims++;
          return () => void seen.unclaims++;
        },
      },
    }),
    audit: { record: (event) => void seen.audit.push(event) },
    notify: {
      ofMessage: () => assert.fail('a plain message'),
      ofChange: (...told) => void seen.notified.push(told),
    },
    perSecond: 20,
    onOutcome: (type, outcome) => void seen.outcomes.push(`${type} ${outcome}`),
  });
  const run = (change: Change, who: Partial<typeof actor> = {}) =>
    changeMessage({ ...actor, ...who }, { room: 'tea', clientMsgId: 'c', change });
  return { seen, run };
}

test('a stored change costs its bytes and a message, and is acknowledged like a message', async () => {
  const { seen, run } = rig(stored);
  assert.deepEqual(await run(react), { ...at, duplicate: false });
  assert.deepEqual([seen.taken, seen.given, seen.claims], [[changeBytes(actor.user, react)], [], 0]);
  assert.deepEqual(seen.requests, [
    { room: 'tea', clientMsgId: 'c', change: react, userId: 'mina', userName: 'Mina', isAdmin: false, mayStore: true },
  ]);
  assert.deepEqual([seen.outcomes, seen.notified], [['react stored'], []]);
});

for (const outcome of ['duplicate', 'unchanged'] as const)
  test(`${outcome}: is acknowledged as a duplicate, and costs nothing`, async () => {
    const { seen, run } = rig({ outcome, ...at });
    assert.deepEqual(await run(react), { ...at, duplicate: true });
    assert.deepEqual(seen.given, [[changeBytes(actor.user, react), 1]]);
  });

test('a message that may be the first of its room is also charged for the room', async () => {
  const first = rig(stored);
  await first.run(send);
  assert.deepEqual([first.seen.claims, first.seen.unclaims], [1, 0]);
  const refused = rig({ outcome: 'slow', retryAfterMs: 10 });
  await assert.rejects(refused.run(send), { code: 'rate_limited', retryAfterMs: 10 });
  assert.deepEqual([refused.seen.claims, refused.seen.unclaims], [1, 1]);
  assert.deepEqual(refused.seen.given, [[changeBytes(actor.user, send), 1]]);
});

describe('a refusal', () => {
  const cases: Array<[Change, ChangeResult, { code: string; message: RegExp; retryAfterMs?: number }]> = [
    [
      edit,
      { outcome: 'forbidden', why: 'author', untilTs: 0 },
      { code: 'forbidden', message: /only the author edits/ },
    ],
    [
      remove,
      { outcome: 'forbidden', why: 'author', untilTs: 0 },
      { code: 'forbidden', message: /author and moderators delete/ },
    ],
    [
      pin,
      { outcome: 'forbidden', why: 'role', untilTs: 0 },
      { code: 'forbidden', message: /moderators and owners pin/ },
    ],
    [send, { outcome: 'forbidden', why: 'role', untilTs: 0 }, { code: 'forbidden', message: /mention @room/ }],
    [edit, { outcome: 'forbidden', why: 'muted', untilTs: 0 }, { code: 'forbidden', message: /you are muted/ }],
    [
      react,
      { outcome: 'forbidden', why: 'banned', untilTs: 1 },
      { code: 'forbidden', message: /banned .* until 1970/ },
    ],
    [react, { outcome: 'forbidden', why: 'closed', untilTs: 0 }, { code: 'forbidden', message: /closed/ }],
    [
      edit,
      { outcome: 'forbidden', why: 'read_only', untilTs: 0 },
      { code: 'forbidden', message: /only moderators write/ },
    ],
    [edit, { outcome: 'conflict', why: 'id' }, { code: 'conflict', message: /clientMsgId/ }],
    [edit, { outcome: 'conflict', why: 'edits' }, { code: 'conflict', message: /edited too often/ }],
    [react, { outcome: 'conflict', why: 'emoji' }, { code: 'conflict', message: /different reactions/ }],
    [pin, { outcome: 'conflict', why: 'pins' }, { code: 'conflict', message: /pinned messages/ }],
    [edit, { outcome: 'not_found', what: 'room' }, { code: 'not_found', message: /no such room/ }],
    [edit, { outcome: 'not_found', what: 'message' }, { code: 'not_found', message: /no such message/ }],
    [send, { outcome: 'invalid' }, { code: 'invalid', message: /reply itself/ }],
    [react, { outcome: 'slow', retryAfterMs: 4 }, { code: 'rate_limited', message: /slow mode/, retryAfterMs: 4 }],
  ];
  for (const [change, result, expected] of cases)
    test(`${change.type}: ${Object.values(result).slice(0, 2).join(' ')}`, async () => {
      const { seen, run } = rig(result);
      await assert.rejects(run(change), expected);
      // A refused change has cost the store work, so its token is not refunded. The token of a
      // message is.
      assert.deepEqual(seen.given, [[changeBytes(actor.user, change), change.type === 'send' ? 1 : 0]]);
      assert.deepEqual([seen.audit, seen.notified], [[], []]);
      assert.deepEqual(seen.outcomes, [`${change.type} ${result.outcome}`]);
    });
});

test('without quota only a stored duplicate is acknowledged', async () => {
  const { seen, run } = rig({ outcome: 'refused' }, 250);
  await assert.rejects(run(react), { code: 'rate_limited', retryAfterMs: 250 });
  assert.deepEqual([seen.requests[0]?.mayStore, seen.given, seen.claims], [false, [], 0]);
});

test('a change whose user is revoked before the store is called is never stored', async () => {
  const { seen, run } = rig(stored);
  await assert.rejects(run(react, { revoked: true }), { code: 'unauthenticated' });
  assert.deepEqual([seen.requests, seen.given], [[], [[changeBytes(actor.user, react), 1]]]);
});

test('after an unknown outcome nothing is refunded, after a known failure everything', async () => {
  const unknown = rig(new MaruError('unavailable', 'x'));
  await assert.rejects(unknown.run(react), { code: 'unavailable' });
  assert.deepEqual(unknown.seen.given, []);
  const known = rig(new MaruError('too_large', 'x'));
  await assert.rejects(known.run(react), { code: 'too_large' });
  assert.equal(known.seen.given.length, 1);
});

test("the audit records the deletion of another user's message, without its text", async () => {
  const other = rig({ ...stored, author: 'jun' });
  await other.run(remove);
  assert.deepEqual(other.seen.audit, [
    { action: 'message.delete', by: 'mina', user: 'jun', room: 'tea', seq: 3, reason: 'spam' },
  ]);
  const own = rig(stored);
  await own.run(remove);
  await other.run(edit);
  assert.deepEqual([own.seen.audit.length, other.seen.audit.length], [0, 1]);
});

test('stored messages and edits notify newly mentioned users', async () => {
  const { seen, run } = rig({ ...stored, mentioned: ['jun'] });
  for (const change of [send, edit]) await run(change);
  const sent = { ...at, duplicate: false };
  assert.deepEqual(
    seen.notified,
    [send, edit].map((change) => [actor.user, 'tea', change, sent, ['jun']]),
  );
});

test('the log learns that a user is an administrator', async () => {
  const { seen, run } = rig(stored);
  await run(remove, { roles: ['admin'] });
  assert.equal(seen.requests[0]?.isAdmin, true);
});
