/** One of two edges stops: the gateways hand its clients over gradually, and no message is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { findFreePort } from '@maru/service-kit/testing';
import { repository } from '../support/cluster.ts';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { Crowd } from './crowd.ts';
import { now } from './member.ts';
import { createRandom } from './random.ts';
import { checkPace } from './return-checker.ts';

const CLIENTS = 60;
/** Half of the clients leave, which takes three seconds. */
const PER_SECOND = 10;
const WHOLE_WITHIN_MS = 10_000;

let cluster: Gateways;
let leaving: Nginx;
let staying: Nginx;
let balancer: Server;
let balanced: string;
const violations: string[] = [];

before(async () => {
  cluster = await startGateways({
    gateways: 1,
    environment: { MARU_TRUSTED_PROXIES: '127.0.0.1,127.0.0.2', MARU_DRAIN_PER_SECOND: String(PER_SECOND) },
  });
  const port = Number(new URL(cluster.gateways[0]?.url ?? '').port);
  // As in a container. The configuration is already rendered, so the script does not change it.
  leaving = await startNginx({
    gatewayPorts: [port],
    start: (file) =>
      spawn('sh', [path.join(repository, 'deploy/docker/edge/start.sh')], {
        stdio: 'ignore',
        env: {
          PATH: process.env.PATH,
          MARU_EDGE_DIR: path.dirname(file),
          MARU_EDGE_RUN_DIR: path.join(path.dirname(file), 'run'),
          MARU_EDGE_GATEWAYS: `127.0.0.1:${port}`,
        },
      }),
  });
  // A different address, like an edge on another machine.
  staying = await startNginx({
    gatewayPorts: [port],
    adapt: (configuration) => configuration.replace('proxy_http_version 1.1;', '$&\n    proxy_bind 127.0.0.2;'),
  });
  balancer = createBalancer([leaving.url, staying.url]);
  const balancerPort = await findFreePort();
  await new Promise<void>((resolve) => balancer.listen(balancerPort, '127.0.0.1', resolve));
  balanced = `http://127.0.0.1:${balancerPort}`;
});
after(async () => {
  balancer?.close();
  await leaving?.stop();
  await staying?.stop();
  await cluster?.stop();
});

/** Connects each client to the first edge that accepts, like a load balancer with priorities. */
function createBalancer(urls: readonly string[]): Server {
  const ports = urls.map((url) => Number(new URL(url).port));
  return createServer({ allowHalfOpen: true }, (client) => {
    const attempt = ([port, ...others]: number[]) => {
      if (port === undefined) return client.destroy();
      const edge = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      edge.once('connect', () => {
        edge.removeAllListeners('error').on('error', () => client.destroy());
        client.on('error', () => edge.destroy()).on('close', () => edge.destroy());
        edge.on('close', () => client.destroy());
        client.pipe(edge).pipe(client);
      });
      edge.once('error', () => attempt(others));
    };
    client.on('error', () => {});
    attempt(ports);
  });
}

function startCrowd(): Crowd {
  return new Crowd({
    endpoints: [balanced, staying.url],
    token: (user) => tokenOf(user),
    clients: CLIENTS,
    rooms: 3,
    actsPerSecond: 30,
    pollingEvery: 7,
    random: createRandom(1),
    onAnswer: () => {},
    onViolation: (violation) => violations.push(violation),
  });
}

/** `POST /edge/leave` at the gateway, from a local address. @returns the status */
function askToLeave(from: string, headers: Record<string, string> = {}, method = 'POST'): Promise<number> {
  return new Promise((resolve, reject) => {
    const ask = request(`${cluster.gateways[0]?.url}/edge/leave`, {
      method,
      headers,
      localAddress: from,
      agent: false,
    });
    ask.once('error', reject);
    ask.once('response', (response) => resolve(response.resume().statusCode ?? 0));
    ask.end();
  });
}

test('only the edge itself can make its clients leave', async (t) => {
  const crowd = startCrowd();
  t.after(() => crowd.close());
  await crowd.connect();
  assert.equal(await askToLeave('127.0.0.3'), 404, 'an address that is no trusted proxy');
  assert.equal(await askToLeave('127.0.0.1', { 'x-forwarded-for': '10.0.0.1' }), 404, 'a forwarded request');
  assert.equal(await askToLeave('127.0.0.1', {}, 'GET'), 404);
  for (const spelling of ['/edge/leave', '/api/../edge/leave', '/api/%2e%2e/edge/leave', '/socket.io/..%2fedge/leave'])
    for (const url of [leaving.url, staying.url]) {
      const ask = request({ host: '127.0.0.1', port: new URL(url).port, path: spelling, method: 'POST', agent: false });
      ask.end();
      const [response] = (await once(ask, 'response')) as [{ statusCode: number }];
      assert([400, 403, 404, 405].includes(response.statusCode), `${spelling}: ${response.statusCode}`);
    }
  assert.deepEqual(
    crowd.members.flatMap(({ advices }) => advices),
    [],
  );
  assert.deepEqual(
    crowd.members.map(({ connects }) => connects),
    crowd.members.map(() => 1),
  );
});

test('the clients of a stopping edge leave gradually, and miss nothing', async (t) => {
  const crowd = startCrowd();
  t.after(() => crowd.close());
  await crowd.connect();
  crowd.startSending();
  const stoppedAtMs = now();
  leaving.child.kill('SIGTERM');
  const [code] = await once(leaving.child, 'exit');
  assert.equal(code, 0);
  await crowd.whole(now(), WHOLE_WITHIN_MS);
  crowd.stopSending();
  assert.equal(await crowd.settled(WHOLE_WITHIN_MS), 0);
  await crowd.whole(now(), WHOLE_WITHIN_MS);

  const sockets = crowd.members.filter((_, index) => (index + 1) % 7 !== 0);
  const [left, stayed] = [0, 1].map((parity) =>
    sockets.filter((member) => crowd.members.indexOf(member) % 2 === parity),
  ) as [typeof sockets, typeof sockets];
  for (const member of left) {
    assert.deepEqual([member.advices.map(({ code }) => code), member.losses], [['draining'], 0], member.user);
    assert(member.connectedAtMs > stoppedAtMs);
  }
  for (const member of stayed) assert.deepEqual([member.advices, member.connects], [[], 1], member.user);
  assert.deepEqual(
    checkPace(
      left.flatMap(({ advices }) => advices),
      PER_SECOND,
    ),
    [],
  );
  for (const [room, checker] of crowd.rooms) {
    const history = await crowd.history(room, WHOLE_WITHIN_MS);
    assert.deepEqual(checker.finish({ history, rollbacks: 0 }), []);
  }
  assert.deepEqual(violations, []);
});
