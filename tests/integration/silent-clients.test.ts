/** A client behind a network that goes silent is disconnected within the stated limit. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { PresenceDiff } from '@maru/protocol';
import { type ProxyMode, startTcpProxy } from '@maru/service-kit/testing';
import { connect, TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { poll, sleep } from '../support/poll.ts';

/** With the default settings, a silent client would stay for 53 s. */
const SETTINGS = { MARU_PING_INTERVAL_MS: '1000', MARU_PING_TIMEOUT_MS: '1500' };
const presenceEnvironment = { MARU_PRESENCE_LEAVE_GRACE_MS: '1000' };
/** 1 s + 1 s + 1.5 s + 1 s + 0.7 s, and time for a busy machine. */
const GONE_WITHIN_MS = 20_000;

const sites = new Map<string, Gateways>();
before(async () => {
  sites.set('on', await startGateways({ environment: { ...SETTINGS }, presenceEnvironment }));
  sites.set('off', await startGateways({ environment: { ...SETTINGS, MARU_FAST_PATH: 'off' }, presenceEnvironment }));
});
after(async () => {
  for (const site of sites.values()) await site.stop();
});

const cases: Array<[fastPath: string, transport: 'websocket' | 'polling', silence: ProxyMode]> = [
  ['on', 'websocket', 'blackhole'],
  ['on', 'websocket', 'swallow'],
  ['on', 'polling', 'blackhole'],
  ['off', 'websocket', 'blackhole'],
  ['off', 'polling', 'blackhole'],
];
// Both gateways at the same time, because these tests mostly wait.
describe('a silent client', { concurrency: true }, () => {
  for (const own of ['on', 'off'])
    describe(`fast path ${own}`, { concurrency: 1 }, () => {
      for (const [fastPath, transport, silence] of cases.filter(([path]) => path === own))
        test(`${transport}, ${silence}, fast path ${fastPath}: its session ends, and presence shows that`, async () => {
          const gateway = sites.get(fastPath)?.gateways[0] ?? assert.fail('no gateway');
          const { hostname: host, port } = new URL(gateway.url);
          const proxy = await startTcpProxy({ host, port: Number(port) });
          const room = `silent-${fastPath}-${transport}-${silence}`;
          const viewer = await connect(gateway.url, { token: tokenOf('viewer') });
          const quiet = new TestClient(`http://127.0.0.1:${proxy.port}`, {
            token: tokenOf('quiet'),
            transports: [transport],
          });
          try {
            quiet.socket.connect();
            await quiet.event('session');
            await quiet.ok('room:join', { room });
            await viewer.ok('room:join', { room });
            await poll('both to be present', async () => (await viewer.ok('presence:watch', { room })).count === 2);
            // Longer than a ping and its pong: a client that answers stays.
            await sleep(4_000);
            assert.equal((await viewer.ok('presence:watch', { room })).count, 2);
            const timeouts = await gateway.metric('maru_disconnects_total', 'ping timeout');
            noticeNothing(quiet);
            proxy.mode = silence;
            const left = () =>
              viewer
                .payloads<PresenceDiff>('presence')
                .some((diff) => diff.room === room && diff.leaves[0]?.id === 'quiet');
            await poll('presence to say so', left, { timeoutMs: GONE_WITHIN_MS });
            assert.equal((await gateway.metric('maru_disconnects_total', 'ping timeout')) - timeouts, 1);
            assert.equal(await gateway.metric('maru_sessions'), 1);
          } finally {
            quiet.close();
            viewer.close();
            await proxy.close();
          }
        });
    });
});

/** Otherwise the client would also detect the silence, and close its side. */
function noticeNothing({ socket }: TestClient): void {
  const engine = socket.io.engine as unknown as { _pingTimeoutTimer: NodeJS.Timeout; _resetPingTimeout: () => void };
  clearTimeout(engine._pingTimeoutTimer);
  engine._resetPingTimeout = () => {};
}
