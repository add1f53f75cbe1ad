import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { findFreePort } from '@maru/service-kit/testing';
import pg from 'pg';
import { connect } from '../support/client.ts';
import {
  type Cluster,
  type CommandResult,
  clusterCommand,
  isAlive,
  repository,
  STOP_TIMEOUT_MS,
  startCluster,
} from '../support/cluster.ts';
import { poll, sleep } from '../support/poll.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'maru-runner-'));
const clusters: Cluster[] = [];
// A failed test must not make the next one fail.
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.stop();
});
after(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: Parameters<typeof startCluster>[0]): Promise<Cluster> {
  const cluster = await startCluster(options);
  clusters.push(cluster);
  return cluster;
}

/** Processes of this data directory: it appears in their command line or environment. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && isAlive(pid))
    .filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) return true;
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder);
      } catch {
        return false;
      }
    });
}

const ended = (cluster: Cluster) =>
  poll('npm to exit', () => cluster.npm.exitCode !== null || cluster.npm.signalCode !== null, {
    timeoutMs: STOP_TIMEOUT_MS,
  });

async function assertNothingLeft(pids: Array<number | null>): Promise<void> {
  await poll('every process to exit', () => pids.every((pid) => pid === null || !isAlive(pid)));
  await poll('no process of the data directory to be left', () => processesOf(dataDir).length === 0);
}

const npm = (...args: string[]): Promise<CommandResult> =>
  new Promise((resolve) => {
    execFile('npm', args, { cwd: repository, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });

const room = newRoom('kept');
/** The entries of the room in PostgreSQL. */
async function archived(cluster: Cluster): Promise<number[]> {
  const { processes } = await cluster.status();
  const client = new pg.Client({ connectionString: processes.find(({ kind }) => kind === 'postgres')?.address });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT seq FROM entries WHERE room = $1 ORDER BY seq', [room]);
    return rows.map(({ seq }) => Number(seq));
  } finally {
    await client.end();
  }
}
let port: number;

// These tests use one data directory in turn, so their order matters.
describe('npm start', () => {
  test('status exits with 1 while no cluster runs', async () => {
    assert.equal((await clusterCommand(dataDir, 'status')).code, 1);
    assert.equal((await clusterCommand(dataDir, 'status', '--json')).code, 1);
    assert.equal((await npm('run', '-s', 'cluster', '--', 'status', '--data-dir', dataDir)).code, 1);
  });

  test('runs the whole cluster, prints its address, and stops it on SIGTERM to npm', async () => {
    port = await findFreePort();
    const cluster = await start({ port, dataDir, gateways: 2, archive: true });
    const address = new RegExp(`http://(localhost|127\\.0\\.0\\.1):${port}`);
    await poll('the address to be printed', () => address.test(cluster.output()));
    const status = await cluster.status();
    assert.match(status.endpoint, new RegExp(`:${port}/?$`));
    assert.deepEqual(status.processes.map(({ kind }) => kind).sort(), [
      'archiver',
      'gateway',
      'gateway',
      'nginx',
      'postgres',
      'presence',
      'redis',
    ]);
    for (const { pid, name, address, kind } of status.processes) {
      assert(pid !== null && isAlive(pid), name);
      const stores = ['redis', 'postgres'];
      assert.match(address, stores.includes(kind) ? new RegExp(`^${kind}://admin:`) : /^http:\/\//);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      assert.doesNotMatch(command, /^(\/bin\/)?(sh|bash|npm)\0/, `${name} must run without a wrapper process`);
    }
    assert.equal((await clusterCommand(dataDir, 'status', '--json')).code, 0);
    const { stdout } = await npm('run', '-s', 'cluster', '--', 'status', '--json', '--secrets', '--data-dir', dataDir);
    assert.deepEqual(JSON.parse(stdout), await cluster.status());
    const withoutSecrets = await clusterCommand(dataDir, 'status', '--json');
    assert.doesNotMatch(withoutSecrets.stdout, /(redis|postgres):\/\/[^/]*@/);
    assert.equal((await clusterCommand(dataDir, 'status')).code, 0);

    const client = await connect(cluster.endpoint, { token: (await createGuest(cluster.endpoint)).token });
    await client.ok('room:create', { room });
    await client.ok('message:send', { room, clientMsgId: newId(), text: 'remember me' });
    await poll('the message to be archived', async () => (await archived(cluster)).join() === '1');
    // Without both of them, messages are still accepted.
    for (const name of ['postgres', 'archiver-1']) await cluster.kill(name);
    await client.ok('message:send', { room, clientMsgId: newId(), text: 'remember me, too' });
    for (const name of ['postgres', 'archiver-1']) await cluster.restart(name);
    await poll('the other message to be archived', async () => (await archived(cluster)).join() === '1,2');
    client.close();

    cluster.npm.kill('SIGTERM');
    await ended(cluster);
    await assertNothingLeft(status.processes.map(({ pid }) => pid));
  });

  test('restarts on the same data, and stops on Ctrl-C', async () => {
    const cluster = await start({ port, dataDir, gateways: 2 });
    const client = await connect(cluster.endpoint, { token: (await createGuest(cluster.endpoint)).token });
    const { messages } = await client.ok('room:join', { room });
    assert.deepEqual(
      messages.map(({ seq, text }) => ({ seq, text })),
      [
        { seq: 1, text: 'remember me' },
        { seq: 2, text: 'remember me, too' },
      ],
    );
    client.close();
    const { processes } = await cluster.status();
    assert(cluster.npm.pid !== undefined);
    process.kill(-cluster.npm.pid, 'SIGINT');
    await ended(cluster);
    await assertNothingLeft(processes.map(({ pid }) => pid));
  });
});

describe('npm start in unusual situations', () => {
  test('stops at once on a second Ctrl-C', async () => {
    const cluster = await start({ port, dataDir, gateways: 2 });
    const { processes } = await cluster.status();
    assert(cluster.npm.pid !== undefined);
    const group = -cluster.npm.pid;
    // A stopped gateway delays an orderly shutdown by many seconds, so the second Ctrl-C must be
    // what ends the cluster.
    const redisSigterms = () =>
      readFileSync(path.join(dataDir, 'logs', 'redis.log'), 'utf8').split('Received SIGTERM').length - 1;
    const sigtermsBefore = redisSigterms();
    assert(sigtermsBefore > 0, 'earlier clusters must have stopped in order');
    const gateway = processes.find(({ kind }) => kind === 'gateway');
    assert(gateway?.pid != null);
    process.kill(gateway.pid, 'SIGSTOP');
    process.kill(group, 'SIGINT');
    await poll('the stop to begin', () => /repeat to stop at once/.test(cluster.output()));
    await sleep(1_500);
    process.kill(group, 'SIGINT');
    await ended(cluster);
    assert.match(cluster.output(), /stopping +at once/);
    assert.doesNotMatch(cluster.output(), /stopped[\s\S]*at once/, 'the orderly shutdown must not have finished');
    assert.equal(
      redisSigterms(),
      sigtermsBefore,
      'Redis must be killed with the gateways instead of stopped after them',
    );
    await assertNothingLeft(processes.map(({ pid }) => pid));
  });

  test('cleans up the processes of a killed supervisor', async () => {
    const cluster = await start({ port, dataDir, gateways: 2, archive: true });
    const { processes } = await cluster.status();
    assert(cluster.npm.pid !== undefined);
    // Kill npm and the supervisor. The processes that they started stay alive.
    const children = processes.map(({ pid }) => pid);
    for (const pid of processesOf(dataDir)) if (!children.includes(pid)) process.kill(pid, 'SIGKILL');
    await ended(cluster);
    const again = await start({ port, dataDir, gateways: 2 });
    assert.equal((await again.status()).processes.length, 5);
    await poll('the old processes to exit', () => children.every((pid) => pid === null || !isAlive(pid)));
  });

  test('reports a port that is in use, and leaves no process behind', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const result = await npm('start', '--', '--port', String(port), '--data-dir', dataDir);
    other.close();
    assert.notEqual(result.code, 0);
    assert.match(result.stdout + result.stderr, new RegExp(`\\b${port}\\b`));
    assert.match(result.stdout + result.stderr, /port/i);
    assert.doesNotMatch(
      result.stdout + result.stderr,
      /\n\s+at .*\(.*:\d+:\d+\)/,
      'the error must have no stack trace',
    );
    await assertNothingLeft([]);
  });
});

describe('npm start with its options', () => {
  test('runs two clusters on one machine without interference', async () => {
    const [a, b] = await Promise.all([start({ gateways: 1 }), start({ gateways: 1 })]);
    const shared = newRoom();
    const one = await connect(a.endpoint, { token: (await createGuest(a.endpoint)).token });
    await one.ok('room:create', { room: shared });
    await one.ok('message:send', { room: shared, clientMsgId: newId(), text: 'only here' });
    const other = await connect(b.endpoint, { token: (await createGuest(b.endpoint)).token });
    assert.deepEqual((await other.ok('room:join', { room: shared })).messages, []);
    one.close();
    other.close();
    const second = await npm('start', '--', '--port', String(await findFreePort()), '--data-dir', a.dataDir);
    assert.notEqual(second.code, 0, 'a data directory in use must be refused');
    assert.equal((await a.status()).processes.length, 4);
  });

  test('names an invalid option in the error', async () => {
    for (const args of [['--gateways', 'many'], ['--port', '0.5'], ['--nonsense']]) {
      const { code, stdout, stderr } = await npm('start', '--', ...args, '--data-dir', dataDir);
      assert.notEqual(code, 0, args.join(' '));
      assert.match(stdout + stderr, new RegExp(args[0] ?? ''));
    }
    const cluster = await start({ gateways: 1 });
    for (const args of [['drain', 'nobody'], ['add', 'redis'], ['nonsense'], ['kill']])
      assert.notEqual((await clusterCommand(cluster.dataDir, ...args)).code, 0, args.join(' '));
    assert.equal((await cluster.status()).processes.length, 4);
  });
});
