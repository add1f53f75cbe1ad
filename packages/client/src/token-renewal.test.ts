/** Renewals of tokens on live connections, with a fake server. */
import assert from 'node:assert/strict';
import { after, afterEach, before, it } from 'node:test';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { type ChatClient, type ChatClientOptions, createChatClient } from './chat-client.ts';
import { systemScheduler } from './scheduler.ts';

let cluster: FakeServer;
const open: ChatClient[] = [];

before(async () => {
  cluster = await startFakeServer();
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
  cluster.faults.refuseRenewal = null;
});
after(() => cluster.close());

/** Fails after ten seconds with what was waited for. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function start(options: Partial<ChatClientOptions>) {
  const client = createChatClient({ url: cluster.url, getToken: () => 'mina', ...options });
  open.push(client);
  const states: string[] = [];
  client.on('connection', ({ state }) => void states.push(state));
  client.connect();
  return { client, states };
}

/** A client whose token expires soon. Each new token is different. */
async function startExpiring() {
  const asked: boolean[] = [];
  const started = start({ getToken: ({ refresh }) => `mina-${asked.push(refresh)}` });
  await until('it is connected', () => started.states.includes('connected'));
  const sessions = cluster.resumes.length;
  return { ...started, asked, newSessions: () => cluster.resumes.length - sessions };
}

it('renews over the live connection: one token request, no reconnect', async () => {
  const { client, asked, states, newSessions } = await startExpiring();
  const renewals = cluster.renewals;
  for (let n = 1; n <= 3; n++) {
    cluster.notice({ code: 'expiring' });
    // The client ignores a notice while it waits for the answer to the previous renewal.
    await until('a token was renewed', () => cluster.renewals === renewals + n);
  }
  await client.setStatus('online').catch(() => {});
  assert.deepEqual([asked, newSessions(), states.at(-1)], [[false, true, true, true], 0, 'connected']);
});

it('reconnects with the new token if the gateway does not know renewals', async () => {
  cluster.faults.refuseRenewal = 'invalid';
  const { asked, newSessions } = await startExpiring();
  cluster.notice({ code: 'expiring' });
  await until('it has reconnected', () => newSessions() === 1);
  assert.deepEqual(asked, [false, true]);
});

it('offers the same token again while it cannot be checked, and stays connected', async () => {
  cluster.faults.refuseRenewal = 'unavailable';
  const { client, asked, newSessions } = await startExpiring();
  cluster.notice({ code: 'expiring' });
  await until('the token was requested', () => asked.length === 2);
  await client.setStatus('online').catch(() => {});
  cluster.faults.refuseRenewal = null;
  // Once the token is taken, the next notice causes the next request.
  await until('the token was taken', () => {
    cluster.notice({ code: 'expiring' });
    return asked.length > 2;
  });
  assert.equal(newSessions(), 0);
});

it('uses its current token if the old one expires before the new one is accepted', async () => {
  cluster.faults.refuseRenewal = 'unavailable';
  const { asked, newSessions } = await startExpiring();
  cluster.notice({ code: 'expiring' });
  await until('the token was requested', () => asked.length === 2);
  cluster.dismissAll('expiring');
  await until('it has reconnected', () => newSessions() === 1);
  assert.deepEqual(asked, [false, true]);
});

it('waits longer each time if tokens expire immediately', async () => {
  const waits: number[] = [];
  const scheduler = {
    ...systemScheduler,
    random: () => 0.999,
    after: (ms: number, run: () => void) => {
      if (ms < 8_000) waits.push(ms);
      return systemScheduler.after(ms < 8_000 ? 5 : ms, run);
    },
  };
  // All other timers are longer than the delays of interest.
  const { states } = start({ scheduler, connectTimeoutMs: 60_000, reachEveryMs: 60_000 });
  for (let n = 1; n <= 4; n++) {
    await until('it is connected', () => states.filter((state) => state === 'connected').length === n);
    cluster.dismissAll('expiring');
  }
  await until('it is connected again', () => states.filter((state) => state === 'connected').length === 5);
  assert.deepEqual(waits, [999, 1_998, 3_996, 7_992]);
});
