import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { get, type RequestOptions } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { poll, sleep } from '@maru/service-kit/testing';
import { identityOf, listProcesses } from '../../bootstrap/process-identity.mjs';
import { startTestCluster } from '../test-support/cluster-under-test.ts';

type Cluster = Awaited<ReturnType<typeof startTestCluster>>;

const silent = () => {};

/** One request on a connection of its own. */
function request(url: string, options: RequestOptions = {}): Promise<{ status: number; node: string; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, node: String(response.headers['x-node'] ?? ''), body }),
      );
    }).once('error', reject);
  });
}

async function nodesThatAnswer(cluster: Cluster, requests: number): Promise<string[]> {
  const nodes = new Set<string>();
  for (let index = 0; index < requests; index += 1) {
    const { node } = await request(`${cluster.url}/socket.io/?EIO=4&transport=polling`);
    nodes.add(node);
  }
  return [...nodes].sort();
}

const view = (cluster: Cluster, name: string) => {
  const found = cluster.views().find((candidate) => candidate.name === name);
  assert.ok(found, name);
  return found;
};

/**
 * Fake services on a real Redis and nginx. All tests except those about the end of a cluster share
 * it, one after the other.
 */
let cluster: Cluster;
before(async () => {
  cluster = await startTestCluster({ gateways: 2, environment: { MARU_EDGE_TRUSTED_PROXIES: '127.0.0.2' } });
  await cluster.supervisor.start();
});
after(() => cluster.close());

describe('the status of a cluster', () => {
  it('lists each process with its own pid', () => {
    assert.deepEqual(
      cluster
        .views()
        .map(({ name, kind, state }) => `${name} ${kind} ${state}`)
        .sort(),
      ['gateway-1 gateway up', 'gateway-2 gateway up', 'nginx nginx up', 'presence-1 presence up', 'redis redis up'],
    );
    for (const { pid } of cluster.views()) assert.notEqual(identityOf(pid ?? 0), null);
    assert.match(view(cluster, 'redis').address, /^redis:\/\/admin:[\w-]+@127\.0\.0\.1:\d+$/);
    assert.equal(view(cluster, 'redis').ops, null);
    assert.match(view(cluster, 'gateway-1').ops ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
  });
});

describe('nginx', () => {
  it('spreads new sessions, and routes a session to the node whose name its id begins with', async () => {
    assert.deepEqual(await nodesThatAnswer(cluster, 12), ['gateway-1', 'gateway-2']);
    for (const node of ['gateway-1', 'gateway-2', 'gateway-1', 'gateway-1'])
      assert.equal((await request(`${cluster.url}/socket.io/?EIO=4&sid=${node}.abc`)).node, node);
  });

  it('spreads clients whose first request is another one', async () => {
    const nodes = [];
    for (let client = 0; client < 100; client += 1) {
      await request(`${cluster.url}/api/v1/guests`);
      nodes.push((await request(`${cluster.url}/socket.io/?EIO=4&transport=polling`)).node);
    }
    // nginx chooses at random among equals. A share below a quarter occurs once in millions of
    // runs.
    const first = nodes.filter((node) => node === 'gateway-1').length;
    assert.ok(first >= 25 && first <= 75, `${first} of 100 went to the first`);
  });

  it('overwrites forged headers with a client address', async () => {
    const response = await fetch(`${cluster.url}/api/v1/headers`, {
      headers: {
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-host': 'evil',
        forwarded: 'for=6.6.6.6',
        'x-real-ip': '6.6.6.6',
      },
    });
    const headers = (await response.json()) as Record<string, string>;
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-forwarded-host'], undefined);
    assert.equal(headers.forwarded, undefined);
    assert.equal(headers['x-real-ip'], undefined);
    assert.equal(headers.host, new URL(cluster.url).host);
  });

  it("trusts X-Forwarded-For of the operator's trusted proxies, hop by hop", async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 7.7.7.7, 127.0.0.2' };
    const { body } = await request(`${cluster.url}/api/v1/headers`, { localAddress: '127.0.0.2', headers });
    assert.equal((JSON.parse(body) as Record<string, string>)['x-forwarded-for'], '7.7.7.7');
  });

  it('serves the page with a strict policy and hides the paths for operators', async () => {
    const page = await fetch(cluster.url);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self';/);
    for (const path of ['/metrics', '/healthz', '/readyz', '/readyz/', '/api/../metrics', '/.env', '/generation'])
      assert.equal((await request(cluster.url + path)).status, 404, path);
  });
});

describe('a process that dies', () => {
  it('starts again after about a second, under the same name and ports', async () => {
    const before = view(cluster, 'gateway-2');
    const killedMs = Date.now();
    process.kill(before.pid ?? 0, 'SIGKILL');
    const now = await poll('another is up', () => {
      const found = view(cluster, 'gateway-2');
      return found.state === 'up' && found.pid !== before.pid && found;
    });
    assert.ok(Date.now() - killedMs > 900, 'not without a pause');
    assert.equal(now.address, before.address);
    assert.ok(cluster.reported.some((line) => line.startsWith('TROUBLE gateway-2: died (SIGKILL)')));
  });

  it('starts again if it is the master of nginx, whose workers would hold the port', async () => {
    const { pid } = view(cluster, 'nginx');
    process.kill(pid ?? 0, 'SIGKILL');
    await poll('it is up again', () => {
      const now = view(cluster, 'nginx');
      return now.state === 'up' && now.pid !== pid;
    });
    assert.equal((await request(cluster.url)).status, 200);
  });
});

describe('an operator', () => {
  it('kills a gateway, which stays down and out of the balancer until its restart', async () => {
    await cluster.supervisor.handlers.kill('gateway-1', silent);
    assert.equal(view(cluster, 'gateway-1').pid, null);
    assert.equal(view(cluster, 'gateway-1').state, 'down');
    await sleep(1_300);
    assert.equal(view(cluster, 'gateway-1').pid, null);
    assert.deepEqual(await nodesThatAnswer(cluster, 6), ['gateway-2']);
    assert.equal((await request(`${cluster.url}/socket.io/?sid=gateway-1.abc`)).node, 'gateway-2');
    await cluster.supervisor.handlers.restart('gateway-1', silent);
    assert.deepEqual(await nodesThatAnswer(cluster, 12), ['gateway-1', 'gateway-2']);
  });

  it('drains a gateway: new sessions go elsewhere, its own stay until it has ended', async () => {
    const draining = cluster.supervisor.handlers.drain('gateway-1', silent);
    await poll(
      'the drain begins',
      () => cluster.reported.length > 0 && view(cluster, 'gateway-1').state === 'draining',
    );
    assert.equal((await request(`${cluster.url}/socket.io/?sid=gateway-1.abc`)).node, 'gateway-1');
    await assert.rejects(cluster.supervisor.handlers.restart('gateway-1', silent), /busy: drain/);
    await draining;
    assert.equal(view(cluster, 'gateway-1').state, 'down');
    assert.deepEqual(await nodesThatAnswer(cluster, 6), ['gateway-2']);
    await cluster.supervisor.handlers.restart('gateway-1', silent);
  });

  it('adds a gateway without cutting a request in flight', async () => {
    const slow = request(`${cluster.url}/api/v1/slow`);
    await cluster.supervisor.handlers.add(silent);
    assert.equal((await slow).body, 'slow');
    assert.equal(view(cluster, 'gateway-3').state, 'up');
    assert.ok((await nodesThatAnswer(cluster, 18)).includes('gateway-3'));
  });

  it('sees 503 with a problem document when every gateway is down', async () => {
    for (const name of ['gateway-1', 'gateway-2', 'gateway-3']) await cluster.supervisor.handlers.kill(name, silent);
    const response = await fetch(`${cluster.url}/api/v1/rooms`);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(body.code, 'unavailable');
    assert.equal(body.retryable, true);
    const handshake = await fetch(`${cluster.url}/socket.io/?EIO=4&transport=polling`);
    assert.equal(handshake.status, 503);
    for (const name of ['gateway-1', 'gateway-2', 'gateway-3']) await cluster.supervisor.handlers.restart(name, silent);
    assert.equal((await request(`${cluster.url}/api/v1/rooms`)).status, 200);
  });

  it('gets an error for a name that does not exist', async () => {
    await assert.rejects(cluster.supervisor.handlers.kill('gateway-9', silent), /There is no gateway-9\. There are: /);
  });
});

describe('the end of a cluster', () => {
  it('leaves no process and no state, even if a gateway ignores signals', { timeout: 45_000 }, async () => {
    const cluster = await startTestCluster({ gateways: 2, environment: { STAND_IN_IGNORES: 'gateway-2' } });
    await cluster.supervisor.start();
    const { path } = cluster.dataDir;
    const startedMs = Date.now();
    await cluster.close();
    // The gateway is killed after 8.5 s, and the rest ends in a second or two. The bound is three
    // times that, for slow machines.
    const tookMs = Date.now() - startedMs;
    assert.ok(tookMs > 8_000 && tookMs < 30_000, `ended after ${tookMs} ms`);
    assert.deepEqual(
      listProcesses().filter((row) => row.cwd === path || row.cwd === `${path} (deleted)`),
      [],
    );
    assert.equal(existsSync(join(path, 'cluster.json')), false);
  });

  it('shows the last output of a process that did not start', { timeout: 30_000 }, async () => {
    const cluster = await startTestCluster({ gateways: 2, environment: { STAND_IN_FAILS: 'gateway-2' } });
    await assert.rejects(
      cluster.supervisor.start(),
      /gateway-2 did not start: it ended: exit code 3\n.*fails on request/,
    );
    await cluster.close();
  });
});
