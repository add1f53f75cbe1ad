import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { MaruError } from '@maru/protocol';
import type { AppendRequest, AppendResult } from '../log/room-log.ts';
import { createChargedWrite } from '../rooms/charged-write.ts';
import { WorkQueues } from '../rooms/work-queues.ts';
import { createSendMessage, messageHandlers } from './messages.ts';

const user = { id: 'mallory', name: 'Mallory' };
const request = { room: 'tea', clientMsgId: 'm', text: 'x' };

test('a message whose sender is revoked while it waits for the quota is never appended', async () => {
  const appended: AppendRequest[] = [];
  let given = 0;
  let grant: (waitMs: number) => void = () => {};
  const send = createSendMessage({
    log: {
      append: async (request): Promise<AppendResult> => {
        appended.push(request);
        return { outcome: 'stored', epoch: 'e', seq: 1, ts: 1, n: 1 };
      },
    },
    chargedWrite: createChargedWrite({
      quota: {
        take: () =>
          new Promise<number>((resolve) => {
            grant = resolve;
          }),
        giveBack: () => void given++,
      },
      claims: { mayBeEmpty: () => false, write: () => assert.fail('claimed') },
    }),
    changeMessage: () => assert.fail('changed'),
    notify: { ofMessage() {} },
    perSecond: 20,
    onOutcome() {},
  });
  const sender = { revoked: false, roles: [] };
  const refused = assert.rejects(send(user, request, sender), { code: 'unauthenticated' });
  sender.revoked = true;
  grant(0);
  await refused;
  assert.deepEqual([appended.length, given], [0, 1]);

  const stored = send(user, request, { revoked: false, roles: [] });
  grant(0);
  assert.equal((await stored).seq, 1);
  assert.equal(appended.length, 1);
});

test('only a message with a thread or mentions is stored as a change, and its sender may still be revoked', async () => {
  const changes: unknown[] = [];
  let appends = 0;
  const send = createSendMessage({
    log: {
      append: async (): Promise<AppendResult> => ({ outcome: 'stored', epoch: 'e', seq: ++appends, ts: 1, n: 1 }),
    },
    chargedWrite: createChargedWrite({
      quota: { take: () => 0, giveBack() {} },
      claims: { mayBeEmpty: () => false, write: () => assert.fail('claimed') },
    }),
    changeMessage: async (actor, order) => {
      sender.revoked = true;
      changes.push([actor.user, actor.roles, actor.revoked, order]);
      return { epoch: 'e', seq: 9, ts: 1, n: 1, duplicate: false };
    },
    notify: { ofMessage() {} },
    perSecond: 20,
    onOutcome() {},
  });
  const sender = { revoked: false, roles: ['admin'] };
  assert.equal((await send(user, request, sender)).seq, 1);
  assert.deepEqual([appends, changes], [1, []]);
  assert.equal((await send(user, { ...request, thread: 4, mentions: ['jun'] }, sender)).seq, 9);
  const change = { type: 'send', text: 'x', thread: 4, mentions: ['jun'] };
  assert.deepEqual(changes, [[user, ['admin'], true, { room: 'tea', clientMsgId: 'm', change }]]);
  assert.equal(appends, 1);
});

test('a send waits for an earlier reply to an archived message, and does not share its failure', async () => {
  const order: string[] = [];
  const archived = Promise.withResolvers<void>();
  const handlers = messageHandlers({
    sendMessage: async (_user, { text, thread }) => {
      if (thread === 1) await archived.promise;
      order.push(text);
      return { epoch: 'e', seq: order.length, ts: 1, n: 1, duplicate: false };
    },
    changeMessage: () => assert.fail('changed'),
    claims: { mayBeEmpty: () => false },
    mayBeArchived: (_room, seq) => seq < 10,
  });
  const caller = {
    user,
    roles: [],
    revoked: false,
    queues: new WorkQueues(),
    subscriptions: new Map(),
    charge() {},
    chargeEvents() {},
  };
  const send = (text: string, thread?: number) =>
    handlers['message:send'](caller, {
      room: 'tea',
      clientMsgId: text,
      text,
      ...(thread === undefined ? {} : { thread }),
    });

  const [reply, plain] = [send('to an archived root', 1), send('plain')];
  await setImmediate();
  assert.deepEqual(order, []);
  archived.reject(new MaruError('unavailable', 'older entries cannot be read now'));
  await assert.rejects(reply, { code: 'unavailable' });
  await plain;
  assert.deepEqual(order, ['plain']);
  await Promise.all([send('to a kept root', 20), send('next')]);
  assert.deepEqual(order, ['plain', 'to a kept root', 'next']);
});
