import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { Request, Result } from './ack.ts';
import { createModeration, type Moderation } from './moderation.ts';
import { createFakeScheduler } from './testing/fake-scheduler.ts';

/** A fake server that answers with these errors first, then with data. */
function setUp(...errors: ErrorCode[]) {
  const sent: Array<{ name: string; payload: Record<string, unknown> }> = [];
  const clock = createFakeScheduler();
  const request: Request = (name, payload, done) => {
    sent.push({ name, payload: { ...payload } });
    const code = errors.shift();
    const result = code === undefined ? { ok: true, data: { seq: 9 } } : { ok: false, error: new MaruError(code, '') };
    done(result as Result<never>);
  };
  const moderation = createModeration({ request, scheduler: clock.scheduler });
  /** Runs all delays. */
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    const settled = promise.finally(() => {});
    for (let i = 0; i < 20; i++) {
      clock.pass(10_000);
      await Promise.resolve();
    }
    return settled;
  };
  return { moderation, sent, settle };
}

const ACTS: Array<[string, (moderation: Moderation) => Promise<unknown>]> = [
  ['room:kick', (m) => m.kick('r', 'u', { forMs: 1_000, reason: 'spam' })],
  ['room:ban', (m) => m.ban('r', 'u')],
  ['room:mute', (m) => m.mute('r', 'u')],
  ['room:unban', (m) => m.unban('r', 'u')],
  ['room:unmute', (m) => m.unmute('r', 'u', 'sorry')],
  ['room:role', (m) => m.setRole('r', 'u', 'owner')],
  ['room:update', (m) => m.updateRoom('r', { title: 'T' })],
  ['room:quit', (m) => m.quit('r')],
];
for (const [event, act] of ACTS) {
  it(`${event} keeps its clientMsgId when its answer is lost`, async () => {
    const { moderation, sent, settle } = setUp('unavailable', 'unavailable');
    await settle(act(moderation));
    assert.deepEqual(
      sent.map(({ name }) => name),
      [event, event, event],
    );
    assert.match(String(sent[0]?.payload.clientMsgId), /^[0-9a-f]{32}$/);
    assert.deepEqual(sent[1], sent[0]);
    await settle(act(moderation));
    assert.notEqual(sent.at(-1)?.payload.clientMsgId, sent[0]?.payload.clientMsgId);
  });
}

it('gives up after some attempts, or immediately if a retry cannot help', async () => {
  const lost = setUp(...Array<ErrorCode>(9).fill('unavailable'));
  await assert.rejects(lost.settle(lost.moderation.ban('r', 'u')), { code: 'unavailable' });
  assert.equal(lost.sent.length, 4);
  const refused = setUp('forbidden');
  await assert.rejects(refused.moderation.ban('r', 'u'), { code: 'forbidden' });
  assert.equal(refused.sent.length, 1);
});

for (const [event, act] of [
  ['room:create', (m) => m.createRoom({ visibility: 'private' })],
  ['room:delete', (m) => m.deleteRoom('r')],
  ['room:report-close', (m) => m.closeReport('r', '1:u')],
] as Array<[string, (moderation: Moderation) => Promise<unknown>]>) {
  it(`${event} is not sent twice`, async () => {
    const { moderation, sent, settle } = setUp('unavailable');
    await assert.rejects(settle(act(moderation)), { code: 'unavailable' });
    assert.deepEqual(
      sent.map(({ name }) => name),
      [event],
    );
  });
}
