import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppendRequest, AppendResult } from '../log/room-log.ts';
import { createSendMessage } from './messages.ts';

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
      act: () => assert.fail('acted'),
      read: () => assert.fail('read'),
    },
    quota: {
      take: () =>
        new Promise<number>((resolve) => {
          grant = resolve;
        }),
      giveBack: () => void given++,
    },
    claims: { mayBeEmpty: () => false, write: () => assert.fail('claimed') } as never,
    perSecond: 20,
    onOutcome() {},
  });
  const request = { room: 'tea', clientMsgId: 'm', text: 'x' };
  const user = { id: 'mallory', name: 'Mallory' };
  const sender = { revoked: false };
  const refused = assert.rejects(send(user, request, sender), { code: 'unauthenticated' });
  sender.revoked = true;
  grant(0);
  await refused;
  assert.deepEqual([appended.length, given], [0, 1]);

  const stored = send(user, request, { revoked: false });
  grant(0);
  assert.equal((await stored).seq, 1);
  assert.equal(appended.length, 1);
});
