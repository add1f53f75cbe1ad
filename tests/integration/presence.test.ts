import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { presenceDiffChannel } from '@maru/presence-api';
import { findFreePort } from '@maru/service-kit/testing';
import { eventually, user, type Viewer } from '../../services/gateway/src/presence/testing/rig.ts';
import { GRACE_MS, LEASE_MS, SECRET, usePresence } from './presence-setup.ts';

/** A gateway waits 750 ms for a read. Slow machines get four times as long. */
const ANSWER_WITHIN_MS = 3_000;
/** A new process on a busy machine. */
const START_WITHIN_MS = 15_000;

describe('nodes of one service', () => {
  const setup = usePresence();

  it('show users of both nodes to watchers on both', async () => {
    const [a, b] = [await setup.startNode('gw-a'), await setup.startNode('gw-b')];
    const viewers = [await setup.watch(a, 'lobby'), await setup.watch(b, 'lobby')];
    a.port.enter('lobby', user('u1'));
    b.port.enter('lobby', user('u2'));
    await eventually(() => viewers.every(({ ids }) => ids === 'u1,u2'), 'both watchers see both users');
    assert.equal(await setup.shown(a, 'lobby'), 'u1,u2');
    assert.deepEqual(await b.port.counts(['lobby', 'empty']), { lobby: 2, empty: 0 });
    b.port.leave('lobby', 'u2');
    await eventually(
      () => viewers.every(({ ids, count }) => ids === 'u1' && count === 1),
      'both watchers see the leave',
    );
  });

  it('do not flicker when a node leaves and its users move to the other', async () => {
    const [a, b] = [await setup.startNode('gw-a'), await setup.startNode('gw-b')];
    for (let i = 0; i < 50; i++) a.port.enter('lobby', user(`u${i}`));
    await eventually(async () => (await b.port.snapshot('lobby')).count === 50, 'all users are shown');
    const viewer = await setup.watch(b, 'lobby');
    await a.port.stop();
    for (let i = 0; i < 49; i++) b.port.enter('lobby', user(`u${i}`));
    await eventually(() => viewer.count === 49, 'only the missing user is gone');
    assert.deepEqual(
      viewer.diffs.flatMap(({ joins, leaves, updates }) => [...joins, ...leaves, ...updates].map(({ id }) => id)),
      ['u49'],
    );
  });

  it('apply a status to every room and node', async () => {
    const [a, b] = [await setup.startNode('gw-a'), await setup.startNode('gw-b')];
    a.port.enter('lobby', user('u1'));
    b.port.enter('den', user('u1'));
    const viewers = [await setup.watch(b, 'lobby'), await setup.watch(a, 'den')];
    await a.port.setStatus('u1', 'dnd', 'busy');
    await eventually(() => viewers.every(({ users }) => users.get('u1') === 'dnd'), 'the status is dnd in both rooms');
    await b.port.setStatus('u1', 'invisible');
    await eventually(() => viewers.every(({ count }) => count === 0), 'the user is gone from both rooms');
  });

  it('report the whole state after the queue overflowed', async () => {
    const a = await setup.startNode('gw-a');
    await a.port.snapshot('lobby');
    await setup.stopService();
    for (let index = 0; index < 30_000; index++) a.port.enter(`room-${index % 300}`, user(`u${index}`));
    await setup.startService();
    await eventually(async () => (await a.port.counts(['room-7']))['room-7'] === 100, 'all are reported', 20_000);
  });
});

describe('nodes during failures', () => {
  const setup = usePresence();

  it('recover after Redis was flushed, including statuses', async () => {
    const [a, b] = [await setup.startNode('gw-a'), await setup.startNode('gw-b')];
    a.port.enter('lobby', user('u1'));
    await a.port.setStatus('u1', 'away');
    b.port.enter('lobby', user('u2'));
    const viewer = await setup.watch(b, 'lobby');
    await eventually(() => viewer.ids === 'u1,u2' && viewer.users.get('u1') === 'away', 'the watcher sees it');
    await setup.admin.flushall();
    await eventually(async () => {
      const keys = await setup.admin.keys('*');
      return keys.length > 0 && (await setup.shown(a, 'lobby')) === 'u1,u2';
    }, 'recovered');
    await eventually(() => viewer.ids === 'u1,u2' && viewer.users.get('u1') === 'away', 'the watcher sees it');
  });

  it('recover statuses that connected users set without a room of the node', async () => {
    const a = await setup.startNode('gw-a');
    const b = await setup.startNode('gw-b', {}, (userId) => userId === 'u1');
    a.port.enter('lobby', user('u1'));
    a.port.enter('lobby', user('u2'));
    await b.port.setStatus('u1', 'invisible');
    const recovered = () => eventually(async () => (await setup.shown(a, 'lobby')) === 'u2', 'only u2 is shown');
    await recovered();
    await setup.admin.flushall();
    await eventually(async () => (await setup.shown(a, 'lobby')).includes('u2'), 'u2 is shown again');
    await eventually(
      async () => (await setup.admin.hget('maru:presence:{user:u1}:status', 'status')) === 'invisible',
      'the status is stored again',
      5_000,
    );
    await recovered();
  });

  it('continue while the service is down, and recover with it', async () => {
    const a = await setup.startNode('gw-a', { freshMs: 300 });
    const b = await setup.startNode('gw-b');
    a.port.enter('lobby', user('u1'));
    a.port.enter('lobby', user('u2'));
    const viewer = await setup.watch(b, 'lobby');
    await eventually(() => viewer.ids === 'u1,u2', 'the watcher sees it');
    await setup.stopService();
    a.port.leave('lobby', 'u1');
    a.port.enter('lobby', user('u3'));
    const start = performance.now();
    await assert.rejects(a.port.snapshot('den'), { code: 'unavailable' });
    await assert.rejects(a.port.counts(['lobby']), { code: 'unavailable' });
    const tookMs = performance.now() - start;
    assert.ok(tookMs < 2 * ANSWER_WITHIN_MS, `two refusals took ${tookMs} ms`);
    await sleep(LEASE_MS + 200);
    await assert.rejects(b.port.snapshot('other'), { code: 'unavailable' });
    const seen = viewer.diffs.length;
    await setup.startService();
    await eventually(() => viewer.ids === 'u2,u3', 'recovered', 6_000);
    const left = viewer.diffs.slice(seen).flatMap(({ leaves }) => leaves.map(({ id }) => id));
    assert.deepEqual(left, ['u1'], 'no other user flickered');
  });

  it('recover after Redis was killed', async () => {
    const a = await setup.startNode('gw-a');
    a.port.enter('lobby', user('u1'));
    const viewer = await setup.watch(a, 'lobby');
    await eventually(() => viewer.ids === 'u1', 'the watcher sees it');
    await setup.redis.kill();
    a.port.enter('lobby', user('u2'));
    await sleep(1_000);
    await setup.redis.restart();
    // The test's subscriber resubscribes silently. The gateway's reports it.
    await sleep(300);
    a.subscriber.announceResubscribed();
    await eventually(() => viewer.ids === 'u1,u2', 'recovered', 6_000);
  });

  it('reject within the deadline while Redis hangs', async () => {
    const a = await setup.startNode('gw-a', { freshMs: 0 });
    await setup.watch(a, 'lobby');
    await setup.redis.kill('SIGSTOP');
    try {
      for (const room of ['lobby', 'den']) {
        const start = performance.now();
        void a.port.watch(room, () => {});
        await assert.rejects(a.port.snapshot(room), { code: 'unavailable' });
        const tookMs = performance.now() - start;
        assert.ok(tookMs < ANSWER_WITHIN_MS, `the refusal took ${tookMs} ms`);
      }
    } finally {
      await setup.redis.kill('SIGCONT');
    }
    await eventually(async () => (await a.port.snapshot('den').catch(() => undefined)) !== undefined, 'recovered');
  });
});

describe('a node that was stopped', () => {
  const setup = usePresence();

  it('lose the lease when they are stopped, and report their state when they continue', async () => {
    const a = await setup.startNode('gw-a');
    a.port.enter('lobby', user('u1'));
    const viewer = await setup.watch(a, 'lobby');
    await eventually(() => viewer.ids === 'u1', 'the watcher sees it');
    await setup.stopService();
    const [opsPort, env] = [await findFreePort(), { ...process.env }];
    const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('../../services/presence/src/main.ts'))], {
      stdio: 'ignore',
      env: {
        ...env,
        MARU_NODE: 'presence-2',
        MARU_LISTEN_PORT: String(setup.listenPort),
        MARU_OPS_PORT: String(opsPort),
        MARU_REDIS_URL: setup.redis.url,
        MARU_INTERNAL_SECRET: SECRET,
        MARU_PRESENCE_LEASE_MS: String(LEASE_MS),
        MARU_PRESENCE_LEAVE_GRACE_MS: String(GRACE_MS),
        MARU_PRESENCE_SWEEP_MS: '100',
        MARU_PRESENCE_SWEEP_HOLD_MS: '0',
      },
    });
    try {
      const answers = async (url: string) => (await fetch(url).catch(() => undefined))?.ok === true;
      await eventually(() => answers(`http://127.0.0.1:${opsPort}/readyz`), 'the service is ready', START_WITHIN_MS);
      await eventually(
        async () => (await a.port.snapshot('lobby').catch(() => undefined)) !== undefined,
        'the service answers',
      );
      const expirations = async (): Promise<string> => {
        const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
        return /^maru_presence_lease_expirations_total (\d+)$/m.exec(metrics)?.[1] ?? '';
      };
      // Blocks this process, which is the same as SIGSTOP for the client.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LEASE_MS + GRACE_MS + 1_000);
      assert.equal(await expirations(), '1');
      await eventually(() => viewer.diffs.some(({ leaves }) => leaves.length > 0), 'the watcher sees the leave');
      await eventually(() => viewer.ids === 'u1', 'recovered');
      await eventually(async () => (await setup.shown(a, 'lobby')) === 'u1', 'the service shows the user');
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('watchers of a room', () => {
  const setup = usePresence();

  it('notice that the last difference was lost', async () => {
    const a = await setup.startNode('gw-a');
    const viewer = await setup.watch(a, 'lobby');
    a.subscriber.isDeaf = true;
    a.port.enter('lobby', user('u1'));
    await eventually(() => viewer.ids === 'u1', 'the audit finds it');
  });

  it('compare all watched rooms after a resubscription', async () => {
    const a = await setup.startNode('gw-a', { auditMs: 60_000 });
    const viewers: Viewer[] = [];
    // In groups, because 250 snapshots at once may exceed the request deadline on a busy machine.
    for (let first = 0; first < 250; first += 25) {
      const group = Array.from({ length: 25 }, (_, index) => setup.watch(a, `room-${first + index}`));
      viewers.push(...(await Promise.all(group)));
    }
    a.subscriber.isDeaf = true;
    for (let index = 0; index < 250; index++) a.port.enter(`room-${index}`, user('u1'));
    await eventually(
      async () => Object.values(await a.port.counts(['room-0', 'room-249'])).join() === '1,1',
      'the service has them',
    );
    a.subscriber.isDeaf = false;
    a.subscriber.announceResubscribed();
    await eventually(() => viewers.every(({ ids }) => ids === 'u1'), 'all watchers are right');
  });

  it('subscribe only while they watch', async () => {
    const a = await setup.startNode('gw-a');
    const watching = a.port.watch('lobby', () => {});
    a.port.unwatch('lobby');
    await a.port.watch('lobby', () => {});
    await watching;
    assert.deepEqual([...a.subscriber.channels], [presenceDiffChannel('lobby')]);
    a.port.unwatch('lobby');
    await eventually(() => a.subscriber.channels.size === 0, 'unsubscribed');
  });
});
