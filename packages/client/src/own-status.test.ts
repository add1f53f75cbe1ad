import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Done, Request } from './ack.ts';
import { createChatClient } from './chat-client.ts';
import { OwnStatus } from './own-status.ts';
import { createFakeScheduler } from './testing/fake-scheduler.ts';

describe('the own status', () => {
  let sent: Array<{ status: string; done: Done<unknown> }>;
  let clock: ReturnType<typeof createFakeScheduler>;
  let own: OwnStatus;
  beforeEach(() => {
    sent = [];
    clock = createFakeScheduler();
    const request = ((_name: string, { status }: { status: string }, done: Done<unknown>) =>
      void sent.push({ status, done })) as unknown as Request;
    own = new OwnStatus({ request, scheduler: clock.scheduler });
  });
  const answer = (code?: ErrorCode) => {
    const { done } = sent.at(-1) ?? assert.fail('nothing was sent');
    done(code === undefined ? { ok: true, data: {} } : { ok: false, error: new MaruError(code, code) });
  };
  const statuses = () => sent.map(({ status }) => status);

  it('waits for a connection, and is sent again on each later one', async () => {
    const stored = own.set('dnd', 'writing');
    assert.deepEqual(statuses(), []);
    own.onSession();
    answer();
    await stored;
    own.onLost();
    own.onSession();
    assert.deepEqual(statuses(), ['dnd', 'dnd']);
  });

  it('is not sent before it is set, because another device may have set one', () => {
    own.onSession();
    assert.deepEqual(statuses(), []);
  });

  it('is sent again until it is stored', async () => {
    own.onSession();
    const stored = own.set('away');
    answer('unavailable');
    assert.equal(clock.timers(), 1);
    clock.pass(10_000);
    answer();
    await stored;
    assert.deepEqual(statuses(), ['away', 'away']);
    assert.equal(clock.timers(), 0);
  });

  it('ends as the newest status, however late the answers are', async () => {
    own.onSession();
    const first = own.set('away');
    const second = own.set('dnd');
    const third = own.set('online');
    assert.deepEqual(statuses(), ['away'], 'one at a time');
    answer();
    await Promise.all([first, second]);
    assert.deepEqual(statuses(), ['away', 'online']);
    answer();
    await third;
  });

  it('ignores the answer of a connection that was lost', async () => {
    own.onSession();
    const stored = own.set('away');
    const late = sent[0];
    own.onLost();
    own.onSession();
    late?.done({ ok: true, data: {} });
    assert.deepEqual(statuses(), ['away', 'away']);
    answer();
    await stored;
  });

  it('is forgotten if it is refused', async () => {
    own.onSession();
    const stored = own.set('away', 'x'.repeat(500));
    answer('invalid');
    await assert.rejects(stored, { code: 'invalid' });
    own.onLost();
    own.onSession();
    assert.deepEqual(statuses(), ['away']);
  });

  it('rejects the waiting call when the client closes', async () => {
    const stored = own.set('away');
    own.close();
    await assert.rejects(stored, { code: 'unavailable' });
  });
});

describe('the own status on a fake server', async () => {
  const server = await startFakeServer();
  after(() => server.close());

  it('is visible to others, also after the server has forgotten it', async () => {
    const open = (name: string) => createChatClient({ url: server.url, getToken: () => name });
    const [mina, jun] = [open('mina'), open('jun')];
    const seen: string[] = [];
    jun.on('presence', ({ view }) => void seen.push(view.users?.get('mina')?.status ?? 'nobody'));
    const until = async (status: string) => {
      for (let tries = 0; seen.at(-1) !== status; tries++) {
        assert.ok(tries < 1_000, `waited in vain for ${status}: ${seen}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    for (const client of [jun, mina]) {
      client.connect();
      client.join('tea', { presence: true });
    }
    await until('online');
    await mina.setStatus('dnd', 'writing');
    await until('dnd');
    server.presence.forget('mina');
    seen.length = 0;
    server.cutAll();
    await until('dnd');
    await mina.setStatus('invisible');
    await until('nobody');
    for (const client of [jun, mina]) client.close();
  });
});
