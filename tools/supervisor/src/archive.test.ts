import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { Client } from 'pg';
import { listProcesses } from '../../bootstrap/process-identity.mjs';
import { findPostgres, freePorts, makeTempDir, startTestCluster } from '../test-support/cluster-under-test.ts';
import { ACCOUNTS } from './archive.ts';
import { openLogFile } from './log-file.ts';
import { manageProcess } from './managed-process.ts';
import { planPostgres } from './postgres-plan.ts';
import { setUpPostgres } from './postgres-setup.ts';
import { completeSecrets, loadSecrets } from './secrets.ts';
import { unprivilegedAccount } from './unprivileged.ts';

type Cluster = Awaited<ReturnType<typeof startTestCluster>>;

const silent = () => {};

/** One PostgreSQL, and a stand-in for the archiver. The tests use it one after the other. */
let cluster: Cluster;
before(async () => {
  cluster = await startTestCluster({ gateways: 1, archive: true });
  await cluster.supervisor.start();
});
after(() => cluster.close());

const view = (name: string) => {
  const found = cluster.views().find((candidate) => candidate.name === name);
  assert.ok(found, name);
  return found;
};

async function query(url: string, sql: string): Promise<Array<Record<string, unknown>>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const maruUrl = () => {
  const url = new URL(view('postgres').address);
  url.username = 'maru';
  url.password = loadSecrets(cluster.dataDir.path).postgresMaruPassword;
  return url.href;
};

describe('the archive of a cluster', () => {
  it('is a PostgreSQL with accounts for people and for services, and an archiver', async () => {
    for (const name of ['postgres', 'archiver-1']) assert.equal(view(name).state, 'up');
    assert.match(view('postgres').address, /^postgres:\/\/admin:[\w-]+@127\.0\.0\.1:\d+\/maru$/);
    const [admin] = await query(view('postgres').address, 'SELECT usesuper FROM pg_user WHERE usename = current_user');
    assert.equal(admin?.usesuper, true);
    const [rights] = await query(
      maruUrl(),
      `SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication AS more,
         has_database_privilege('postgres', 'CREATE') AS elsewhere FROM pg_roles WHERE rolname = current_user`,
    );
    assert.deepEqual(rights, { more: false, elsewhere: false });
    await query(maruUrl(), 'CREATE TABLE kept (n int)');
  });

  it('refuses a wrong password and the account without one', async () => {
    const url = new URL(maruUrl());
    url.password = 'wrong';
    await assert.rejects(query(url.href, 'SELECT 1'), /password authentication failed/);
    url.password = '';
    await assert.rejects(query(url.href, 'SELECT 1'), /password/);
  });

  it('writes to the disk before it answers, listens on this machine only, and logs no statements', async () => {
    const rows = await query(
      view('postgres').address,
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes',
         'listen_addresses', 'log_min_error_statement', 'data_checksums', 'password_encryption')`,
    );
    assert.deepEqual(Object.fromEntries(rows.map(({ name, setting }) => [name, setting])), {
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      log_min_error_statement: 'panic',
      password_encryption: 'scram-sha-256',
      synchronous_commit: 'on',
    });
    await assert.rejects(query(maruUrl(), "SELECT 'secret text'::int"), /invalid input/);
    assert.doesNotMatch(readFileSync(join(cluster.dataDir.logs, 'postgres.log'), 'utf8'), /SELECT/);
  });

  it('runs with its own data only, and never as root', () => {
    const directory = join(cluster.dataDir.path, 'postgres');
    const { uid, mode } = statSync(directory);
    assert.equal(mode & 0o777, 0o700);
    assert.notEqual(uid, 0);
    assert.equal(statSync(`/proc/${view('postgres').pid}`).uid, uid);
    assert.ok(!existsSync(`${directory}.new`));
  });
});

describe('PostgreSQL', () => {
  it('starts again after a crash with what it had stored', async () => {
    const { pid, address } = view('postgres');
    process.kill(pid ?? 0, 'SIGKILL');
    await poll('another is up', () => view('postgres').state === 'up' && view('postgres').pid !== pid);
    assert.equal(view('postgres').address, address);
    assert.equal((await query(maruUrl(), 'SELECT * FROM kept')).length, 0);
  });

  it('stays down after a kill, and starts again despite a stale lock file', async () => {
    const directory = join(cluster.dataDir.path, 'postgres');
    await cluster.supervisor.handlers.kill('postgres', silent);
    assert.equal(view('postgres').state, 'down');
    // The pid of a live process, as after a restart of the machine.
    const lock = join(directory, 'postmaster.pid');
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(/^\d+/, String(view('presence-1').pid)));
    await cluster.supervisor.handlers.restart('postgres', silent);
    assert.equal((await query(maruUrl(), 'SELECT * FROM kept')).length, 0);
  });

  it('stops in order although clients are connected', async () => {
    const client = new Client({ connectionString: maruUrl() });
    client.on('error', () => {});
    await client.connect();
    await cluster.supervisor.handlers.drain('postgres', silent);
    const log = readFileSync(join(cluster.dataDir.logs, 'postgres.log'), 'utf8');
    assert.match(log.trim().split('\n').at(-1) ?? '', /database system is shut down/);
    assert.deepEqual(
      listProcesses().filter(({ cwd }) => cwd === join(cluster.dataDir.path, 'postgres')),
      [],
    );
    await cluster.supervisor.handlers.restart('postgres', silent);
  });
});

describe('the archiver', () => {
  it('is killed and restarted like a service', async () => {
    await cluster.supervisor.handlers.kill('archiver-1', silent);
    assert.equal(view('archiver-1').pid, null);
    await cluster.supervisor.handlers.restart('archiver-1', silent);
    assert.equal(view('archiver-1').state, 'up');
  });
});

describe('the data directory of PostgreSQL', () => {
  it('gets new passwords when the secrets change', { timeout: 60_000 }, async () => {
    await cluster.supervisor.handlers.drain('postgres', silent);
    const plan = planPostgres({
      programs: findPostgres(),
      directory: join(cluster.dataDir.path, 'postgres'),
      account: unprivilegedAccount(ACCOUNTS),
      secrets: completeSecrets(null),
      ports: freePorts(),
      isFree: async () => true,
    });
    const log = openLogFile({
      path: join(cluster.dataDir.logs, 'other.log'),
      bytesMax: 1e6,
      onError: (error) => assert.fail(String(error)),
    });
    const server = manageProcess({ plan, cwd: cluster.dataDir.path, log, onEvent: silent });
    await plan.setUp(new AbortController().signal);
    await server.start();
    await query(plan.maruUrl, 'SELECT * FROM kept');
    await server.end({ signal: 'SIGINT', withinMs: 10_000, as: 'stopping' });
  });

  it('is never half created: an interrupted start leaves nothing with its name', async () => {
    const temp = makeTempDir();
    const directory = join(temp.path, 'postgres');
    const stop = new AbortController();
    const account = unprivilegedAccount(ACCOUNTS);
    const options = { programs: findPostgres(), directory, account, secrets: completeSecrets(null) };
    const work = setUpPostgres({ ...options, signal: stop.signal });
    await poll('it has begun', () => existsSync(join(`${directory}.new`, 'PG_VERSION')));
    stop.abort();
    await assert.rejects(work, /initdb failed/);
    assert.ok(!existsSync(directory));
    temp.remove();
  });
});
