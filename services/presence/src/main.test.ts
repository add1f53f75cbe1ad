import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findFreePort, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { enter, eventually, RawNode, SECRET, shownIn } from './testing/harness.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

describe('presence as a process', () => {
  let redis: TestRedis;
  const children: ChildProcess[] = [];

  before(async () => {
    redis = await startTestRedis();
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await redis.stop();
  });

  function launch(env: Record<string, string>) {
    const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH ?? '', ...env } });
    children.push(child);
    const output = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.err += chunk.toString();
    });
    return { child, output };
  }

  async function launchWorking() {
    const [listenPort, opsPort] = [await findFreePort(), await findFreePort()];
    const launched = launch({
      MARU_NODE: 'presence-1',
      MARU_LISTEN_PORT: String(listenPort),
      MARU_OPS_PORT: String(opsPort),
      MARU_REDIS_URL: redis.url,
      MARU_INTERNAL_SECRET: SECRET,
    });
    const isReady = async () =>
      (await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined))?.status === 200;
    await eventually(isReady, 'ready', 20_000);
    return { ...launched, baseUrl: `http://127.0.0.1:${listenPort}` };
  }

  it('reports every invalid variable in one line and exits', async () => {
    const { child, output } = launch({ MARU_NODE: 'presence_1', MARU_INTERNAL_SECRET: 'short' });
    const [code] = await once(child, 'exit');
    assert.equal(code, 78);
    assert.match(output.err, /^Configuration: [^\n]*MARU_NODE[^\n]*MARU_REDIS_URL[^\n]*MARU_INTERNAL_SECRET[^\n]*\n$/);
  });

  it('drains on SIGTERM and leaves its state to the next process', async () => {
    const first = await launchWorking();
    const node = new RawNode(first.baseUrl, 'gw-a');
    await node.sync(enter('lobby', 'u1'));
    await eventually(async () => (await shownIn(first.baseUrl, 'lobby')).join() === 'u1', 'shown');
    first.child.kill('SIGTERM');
    const [code] = await once(first.child, 'exit');
    // A drain that misses its deadline exits with another code.
    assert.equal(code, 0);
    assert.ok(!first.output.out.includes(SECRET));

    const second = await launchWorking();
    assert.deepEqual(await shownIn(second.baseUrl, 'lobby'), ['u1']);
    second.child.kill('SIGINT');
    const [secondCode] = await once(second.child, 'exit');
    assert.equal(secondCode, 0);
  });
});
