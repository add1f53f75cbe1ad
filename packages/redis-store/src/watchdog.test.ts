import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger } from '@maru/service-kit';
import { poll, startTcpProxy, startTestRedis } from '@maru/service-kit/testing';
import { connectRedis, openConnection } from './connect.ts';
import { isUsable, silenceMsOf, Watchdog } from './watchdog.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const user = { purpose: 'test', node: 'n', logger };
const BOUND = { timeoutMs: 5_000 };

const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const server = await startTestRedis();
  closers.push(() => server.stop());
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
  closers.push(() => proxy.close());
  return { server, proxy, url: `redis://127.0.0.1:${proxy.port}` };
}

test('an idle connection that goes silent is closed and reopened, and another one of the process stays open', async () => {
  const { server, proxy } = await start();
  const warnings: unknown[] = [];
  const silent: string[] = [];
  const watchdog = new Watchdog({
    logger: { ...logger, warn: (fields: unknown) => warnings.push(fields) } as typeof logger,
    onSilent: (purpose) => silent.push(purpose),
  });
  const at = { host: '127.0.0.1', port: proxy.port };
  const connect = (purpose: string) => {
    const redis = openConnection(at, 800, { ...user, purpose }, watchdog);
    closers.push(() => redis.disconnect());
    return redis;
  };
  const [lost, healthy] = [connect('silent'), connect('healthy')];
  await poll('both to be ready', () => isUsable(lost) && isUsable(healthy));
  let closes = 0;
  healthy.on('close', () => closes++);
  assert.equal(proxy.silence(['silent']), 1);
  await poll('it to be unusable', () => !isUsable(lost), BOUND);
  await poll('it to be usable', () => isUsable(lost), BOUND);
  assert.equal(await lost.ping(), 'PONG');
  assert.equal(closes, 0);
  assert.deepEqual(warnings, [{ purpose: 'silent', server: `127.0.0.1:${proxy.port}` }]);
  assert.deepEqual(silent, ['silent']);
  // A server that is gone is a different fault.
  await server.kill();
  await poll('the loss', () => !isUsable(healthy));
  assert.equal(warnings.length, 1);
});

test('a handshake without an answer is aborted', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const redis = connectRedis({ url: `redis://127.0.0.1:${port}`, deadlineMs: undefined }, user);
  closers.push(() => redis.disconnect());
  await poll('another attempt', () => sockets.length >= 2, BOUND);
});

test('a subscriber that receives announcements but no answers is reopened', async () => {
  const { server, url } = await start();
  const publisher = connectRedis({ url: server.url, deadlineMs: 800 }, user);
  const redis = connectRedis({ url, deadlineMs: 800 }, user);
  closers.push(() => publisher.disconnect());
  closers.push(() => redis.disconnect());
  await poll('both to be ready', () => isUsable(redis) && isUsable(publisher));
  await redis.ssubscribe('maru:live');
  const publishing = setInterval(() => void publisher.spublish('maru:live', 'x').catch(() => {}), 50);
  closers.push(() => clearInterval(publishing));
  let received = 0;
  redis.on('smessage', () => received++);
  // From here on, everything that we send is lost.
  redis.stream.write = () => true;
  await poll('it to be closed', () => redis.status !== 'ready', BOUND);
  assert.ok(received > 20, `received ${received}`);
  await poll('it to be usable', () => isUsable(redis), BOUND);
});

test('a pause of the process closes no connection, but makes the last answer old', async () => {
  const { url } = await start();
  const redis = connectRedis({ url, deadlineMs: undefined }, user);
  closers.push(() => redis.disconnect());
  await poll('it to be ready', () => isUsable(redis));
  let closes = 0;
  redis.on('close', () => closes++);
  await pause(600);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000);
  assert.ok(silenceMsOf(redis) >= 6_000);
  await poll('a new answer', () => silenceMsOf(redis) < 1_000);
  assert.equal(closes, 0);
});

test('a connection that is closed while it is silent stays closed', async () => {
  const { proxy, url } = await start();
  const redis = connectRedis({ url, deadlineMs: 800 }, user);
  await poll('it to be ready', () => isUsable(redis));
  proxy.silence(['test']);
  redis.disconnect();
  await pause(2_500);
  assert.equal(redis.status, 'end');
  assert.equal(silenceMsOf(redis), Number.POSITIVE_INFINITY);
});
