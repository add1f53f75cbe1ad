import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectRedis, waitUntilReady } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { renderRedisAcl, renderRedisConfig } from '../../../deploy/redis/render.ts';
import { freePorts, makeTempDir, requireProgram } from '../test-support/cluster-under-test.ts';
import { openLogFile } from './log-file.ts';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import { tryPort } from './ports.ts';
import { planRedis } from './redis-plan.ts';
import { whyNotThisRedis } from './redis-version.ts';
import { completeSecrets } from './secrets.ts';

describe('the configuration of Redis', () => {
  it('waits for the disk before it answers, and evicts nothing', () => {
    const text = renderRedisConfig({ port: 20_000, directory: '/a "b"', aclPath: '/a/users.acl', maxMemory: '1gb' });
    for (const line of [
      'appendonly yes',
      'appendfsync always',
      'maxmemory 1gb',
      'maxmemory-policy noeviction',
      'bind 127.0.0.1',
      'save ""',
    ])
      assert.ok(text.split('\n').includes(line), line);
    assert.ok(text.includes('dir "/a \\"b\\""\n'));
  });

  it('contains only hashes of passwords', () => {
    const text = renderRedisAcl({ adminPassword: 'open-sesame', maruPassword: 'shibboleth' });
    assert.doesNotMatch(text, /sesame|shibboleth/);
  });

  it('needs Redis 7 or Valkey', () => {
    assert.equal(whyNotThisRedis('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0'), null);
    assert.equal(whyNotThisRedis('Valkey server v=8.0.1 sha=0'), null);
    assert.match(whyNotThisRedis('Redis server v=6.2.7 sha=0') ?? '', /6\.2 is too old/);
    assert.equal(whyNotThisRedis('something else'), null);
  });
});

/** Commands outside the application's keys and channels. */
const DENIED = [
  'FLUSHALL',
  'FLUSHDB',
  'SWAPDB 0 1',
  'CONFIG GET *',
  'CONFIG SET appendonly no',
  'CONFIG REWRITE',
  'DEBUG SLEEP 0',
  'KEYS *',
  'KEYS maru:*',
  'RANDOMKEY',
  'SHUTDOWN NOSAVE',
  'SAVE',
  'BGSAVE',
  'BGREWRITEAOF',
  'MONITOR',
  'CLIENT KILL TYPE normal',
  'CLIENT LIST',
  'CLIENT PAUSE 1000',
  'ACL LIST',
  'ACL WHOAMI',
  'ACL SETUSER maru +@all',
  'REPLICAOF NO ONE',
  'SLAVEOF NO ONE',
  'FAILOVER',
  'SYNC',
  'MODULE LIST',
  'MODULE LOAD /tmp/module.so',
  'SCRIPT FLUSH',
  'SCRIPT KILL',
  'FUNCTION FLUSH',
  'FUNCTION LIST',
  'FCALL f 0',
  'SLOWLOG GET',
  'LATENCY LATEST',
  'MIGRATE 127.0.0.1 1 maru:x 0 1',
  'RESTORE maru:x 0 x',
  'CLUSTER RESET',
  'CLUSTER NODES',
  'GET other:key',
  'SET other:key 1',
  'DEL other:key',
  'GET maru',
  'RENAME maru:h other:key',
  'COPY other:key maru:h',
  'XADD other:key * b 1',
  'PUBLISH other x',
  'SPUBLISH other x',
  'SUBSCRIBE other',
  'SSUBSCRIBE other',
  'PSUBSCRIBE *',
  'PSUBSCRIBE mar*',
  'PUBSUB CHANNELS',
  'PUBSUB SHARDCHANNELS',
].map((line) => line.split(' '));

/**
 * The only commands that the application may use among those that Redis calls dangerous,
 * administration or scripting.
 */
const EXCEPTIONS = ['eval', 'eval_ro', 'evalsha', 'evalsha_ro', 'info', 'script|exists', 'script|load'];

const logger = createLogger({ service: 'test', node: 'test', level: 'silent' });
const open = (url: string, purpose: string) =>
  connectRedis({ url, deadlineMs: 2_000 }, { purpose, node: 'test', logger });

const temp = makeTempDir();
const secrets = completeSecrets(null);
const plan = planRedis({
  file: requireProgram('redis-server', 'valkey-server'),
  directory: `${temp.path}/redis`,
  maxMemory: '64mb',
  secrets,
  ports: freePorts(),
  isFree: async (port) => (await tryPort(port, '127.0.0.1')) === null,
});
let server: ManagedProcess;
let maru: ReturnType<typeof open>;
let admin: ReturnType<typeof open>;

/** What Redis would answer the account. It executes nothing. */
const tryAs = async (account: string, call: string[]) => String(await admin.call('ACL', 'DRYRUN', account, ...call));

before(async () => {
  const log = openLogFile({ path: `${temp.path}/redis.log`, bytesMax: 1e6, onError: assert.ifError });
  server = manageProcess({ plan, cwd: temp.path, log, onEvent: () => {} });
  await server.start();
  maru = open(plan.maruUrl, 'maru');
  admin = open(plan.adminUrl, 'admin');
  assert.ok((await waitUntilReady(maru, 5_000)) && (await waitUntilReady(admin, 5_000)));
});
after(async () => {
  maru.disconnect();
  admin.disconnect();
  await server.end({ signal: 'SIGTERM', withinMs: 5_000, as: 'stopping' });
  temp.remove();
});

describe('the accounts of a real Redis deny', () => {
  it('the application everything outside its data', async () => {
    for (const [command, ...args] of DENIED) {
      assert.ok(command !== undefined);
      // These two are disabled. Redis checks that before the rights.
      await assert.rejects(
        maru.call(command, ...args),
        /NOPERM|(DEBUG|MODULE) command not allowed/,
        [command, ...args].join(' '),
      );
    }
    for (const call of ['DEBUG SLEEP 0', 'MODULE LOAD /tmp/module.so'])
      assert.match(await tryAs('maru', call.split(' ')), /no permissions/);
    const reach = "return redis.call('SET', 'other:key', '1')";
    await assert.rejects(maru.eval(reach, 0), /NOPERM|ACL failure|can't access/);
    await assert.rejects(maru.eval("return redis.call('FLUSHALL')", 0), /NOPERM|ACL failure|can't run/);
  });

  it('the application every command that Redis calls dangerous, with few exceptions', async () => {
    const allowed = new Set<string>();
    for (const category of ['dangerous', 'admin', 'scripting'])
      for (const name of (await admin.call('COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', category)) as string[]) {
        const [info] = (await admin.call('COMMAND', 'INFO', name)) as Array<[name: string, arity: number]>;
        const words = name.split('|');
        const others = Math.max(0, Math.abs(info?.[1] ?? 0) - words.length);
        const answer = await tryAs('maru', [...words, ...Array<string>(others).fill('1')]);
        if (!answer.includes(`to run the '${name}' command`)) allowed.add(name);
      }
    assert.deepEqual([...allowed].sort(), EXCEPTIONS);
  });

  it('the archiver everything except to read rooms and to record what is archived', async () => {
    const allowed = [
      'HMGET maru:{lobby}:meta epoch',
      'HSET maru:{lobby}:meta archived 5',
      'XRANGE maru:{lobby}:log - +',
      'HMGET maru:{lobby}:erased 1',
      'ZREMRANGEBYSCORE maru:{lobby}:pins -inf 5',
      'ZADD maru:{archive}:dirty NX 1 lobby',
      'SET maru:{archive}:scanner a PX 1000 NX',
      'PEXPIRE maru:{archive}:scanner 1000',
      'SADD maru:{archive}:trim lobby',
      'SCAN 0 MATCH maru:{*}:meta',
      'EVALSHA 0000000000000000000000000000000000000000 1 maru:{lobby}:meta',
      'EVALSHA_RO 0000000000000000000000000000000000000000 2 maru:{lobby}:meta maru:{lobby}:log',
      'TIME',
    ];
    for (const call of allowed) assert.equal(await tryAs('archiver', call.split(' ')), 'OK', call);
    const denied = [
      'XADD maru:{lobby}:log * b 1',
      'XTRIM maru:{lobby}:log MAXLEN 0',
      'DEL maru:{lobby}:log',
      'DEL maru:{lobby}:meta',
      'EVALSHA 0000000000000000000000000000000000000000 1 maru:{lobby}:log',
      'HSET maru:{lobby}:members a owner',
      'SET maru:revoked:a 1',
      'SPUBLISH maru:{lobby}:feed x',
      'PUBLISH maru:control x',
      'SUBSCRIBE maru:control',
    ];
    for (const call of [...denied, 'GET other:key', 'FLUSHALL', 'KEYS *', 'CONFIG GET *', 'ACL LIST', 'SCRIPT FLUSH'])
      assert.match(await tryAs('archiver', call.split(' ')), /no permissions/, call);
  });

  it('the health check all commands except one', async () => {
    const rule = renderRedisAcl({ adminPassword: 'a', maruPassword: 'b', health: true }).match(/^user health (.*)$/m);
    await admin.call('ACL', 'SETUSER', 'health', 'reset', ...(rule?.[1] ?? '').split(' '));
    assert.equal(await tryAs('health', ['PING']), 'OK');
    for (const call of ['INFO', 'GET maru:k', 'ECHO x', 'SCAN 0'])
      assert.match(await tryAs('health', call.split(' ')), /no permissions/, call);
    await admin.call('ACL', 'DELUSER', 'health');
  });
});

describe('the accounts of a real Redis', () => {
  it('allow the application streams, scripts and channels', async () => {
    const append =
      "redis.call('XADD', KEYS[1], '1-0', 'b', ARGV[1]); redis.call('SPUBLISH', KEYS[2], ARGV[1]); return redis.call('TIME')";
    await maru.eval(append, 2, 'maru:{lobby}:log', 'maru:{lobby}:feed', 'hello');
    assert.match(String(await maru.script('LOAD', append)), /^[0-9a-f]{40}$/);
    assert.deepEqual(await maru.xrange('maru:{lobby}:log', '-', '+'), [['1-0', ['b', 'hello']]]);
    await maru.hset('maru:h', 'a', '1');
    await maru.zadd('maru:z', 1, 'a');
    await maru.sadd('maru:s', 'a');
    await maru.set('maru:k', '1', 'PX', 1_000);
    await maru.multi().pexpire('maru:h', 1_000).del('maru:k').exec();
    await maru.publish('maru:control', 'x');
    await maru.spublish('socket.io#/#', 'x');
    await maru.client('SETNAME', 'maru:test');
    await maru.time();
    assert.match(await maru.info(), /aof_enabled:1/);
    assert.equal(await maru.wait(0, 10), 0);
  });

  it('keep the log complete after a restart and after a crash', async () => {
    const script = "redis.call('XADD', KEYS[1], ARGV[1], 'b', 'x'); redis.call('INCR', KEYS[2])";
    const reads = async () => [
      await maru.xlen('maru:{kept}:log'),
      await maru.get('maru:{kept}:n'),
      await maru.get('maru:{kept}:t'),
    ];
    for (const [index, end] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
      await maru.eval(script, 2, 'maru:{kept}:log', 'maru:{kept}:n', `${index + 1}-0`);
      await maru.multi().incr('maru:{kept}:t').incr('maru:{kept}:t').exec();
      const before = await reads();
      await server.end({ signal: end, withinMs: 5_000, as: 'stopping' });
      await server.start();
      assert.ok((await waitUntilReady(maru, 5_000)) && (await waitUntilReady(admin, 5_000)));
      assert.deepEqual(await reads(), before, end);
      assert.deepEqual(before, [index + 1, String(index + 1), String(2 * index + 2)]);
    }
  });

  it('are four, and required', async () => {
    const stranger = open(`redis://127.0.0.1:${plan.port}`, 'stranger');
    assert.equal(await waitUntilReady(stranger, 500), false);
    await assert.rejects(stranger.set('maru:k', '1'));
    stranger.disconnect();
    assert.deepEqual((await admin.acl('LIST')).map((line) => String(line).split(' ')[1]).sort(), [
      'admin',
      'archiver',
      'default',
      'maru',
    ]);
    assert.deepEqual(await admin.config('GET', 'appendfsync'), ['appendfsync', 'always']);
  });
});
