/**
 * Measures the calls of the console in a large cluster: two real gateways, further nodes that only
 * report and answer questions, and many rooms, reports and audit events in a real Redis.
 *
 *   node tests/integration/console-scale.ts [nodes=50] [rooms=100000] [calls=200]
 */
import { availableParallelism, cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import {
  answersChannel,
  auditKey,
  nodeReportsKey,
  publicRoomsKey,
  questionsChannel,
  reportedRoomsKey,
  roomMetaKey,
  roomReportsKey,
  roomRolesKey,
} from '../../services/gateway/src/keys.ts';
import type { BusyRoom } from '../../services/gateway/src/nodes/busy-rooms.ts';
import type { UserOnNode } from '../../services/gateway/src/nodes/online-users.ts';
import { type NodeReport, REPORT_PERIOD_MS } from '../../services/gateway/src/nodes/reports.ts';
import { startGateways, tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { quantile } from '../support/steady-crowd.ts';

const [, , nodesArgument = '50', roomsArgument = '100000', callsArgument = '200'] = process.argv;
const [NODES, ROOMS, CALLS] = [Number(nodesArgument), Number(roomsArgument), Number(callsArgument)];
const REAL_NODES = 2;
const USERS_PER_NODE = 2_000;
const ROOMS_PER_COMMAND = 1_000;
const REPORTED_ROOMS = 10_000;
const REPORTS_PER_ROOM = 5;
const AUDIT_EVENTS = 100_000;
/** Commands that read the whole store. None may be called. */
const FORBIDDEN = ['scan', 'keys'];
const CALL_PATHS = {
  nodes: '/nodes',
  'users, first page': '/users?limit=50',
  'users, by a part of the name': '/users?q=user-7&limit=50',
  'one user': '/users/user-7-1',
  'rooms, busiest': '/rooms?order=activity&limit=50',
  'rooms, by id': '/rooms?order=id&limit=50',
  'rooms, by prefix, late page': '/rooms?order=id&q=room-07&cursor=room-07500&limit=50',
  'reports, of all rooms': '/reports?limit=50',
  'audit, newest': '/audit?limit=50',
  'audit, of one user': '/audit?limit=50&user=user-7',
  settings: '/settings',
};

const say = (line: string) => process.stdout.write(`${line}\n`);
const roomOf = (index: number) => `room-${String(index).padStart(5, '0')}`;

async function makeRooms(redis: Redis): Promise<void> {
  for (let start = 0; start < ROOMS; start += ROOMS_PER_COMMAND) {
    const commands = redis.pipeline();
    for (let index = start; index < Math.min(ROOMS, start + ROOMS_PER_COMMAND); index++) {
      const room = roomOf(index);
      commands.zadd(publicRoomsKey(), 0, room);
      commands.hset(roomMetaKey(room), { epoch: '1.a', base: 0, title: `Room ${index}`, visibility: 'public' });
      commands.hset(roomRolesKey(room), 'owner', 'owner');
    }
    await commands.exec();
  }
}

/** As reports and acts leave them. */
async function makeReportsAndAudit(redis: Redis): Promise<void> {
  for (let start = 0; start < REPORTED_ROOMS; start += ROOMS_PER_COMMAND) {
    const commands = redis.pipeline();
    for (let index = start; index < start + ROOMS_PER_COMMAND; index++) {
      const room = roomOf(index);
      const report = JSON.stringify({ ts: Date.now(), from: 'user-1', reason: 'a reason that a member wrote' });
      for (let n = 1; n <= REPORTS_PER_ROOM; n++) commands.hset(roomReportsKey(room), `${n}\nuser-${n}`, report);
      commands.zadd(reportedRoomsKey(), Date.now() - index, room);
    }
    await commands.exec();
  }
  for (let start = 0; start < AUDIT_EVENTS; start += ROOMS_PER_COMMAND) {
    const commands = redis.pipeline();
    for (let n = start; n < start + ROOMS_PER_COMMAND; n++) {
      const event = { action: 'room.ban', by: 'root', user: `user-${n % 1_000}`, room: roomOf(n % ROOMS), seq: n };
      commands.xadd(auditKey('acts'), '*', 'e', JSON.stringify({ ...event, reason: 'a reason' }));
    }
    await commands.exec();
  }
}

/** A node without clients of its own. */
function simulateNode(index: number, redis: Redis): { report: () => Promise<unknown>; answer: (json: string) => void } {
  const node = `simulated-${index}`;
  const users = Array.from({ length: USERS_PER_NODE }, (_, n): UserOnNode => {
    return { id: `user-${n}-${index}`, name: `User ${n}`, connections: 1 };
  }).sort((one, other) => (one.id < other.id ? -1 : 1));
  const rooms = Array.from({ length: 500 }, (_, n): BusyRoom => {
    return { room: roomOf((n * 199 + index) % ROOMS), connections: 500 - n, entriesPerS: 50 - n / 10 };
  });
  const report: Omit<NodeReport, 'ts'> = {
    ...{ node, version: '0.1.0', uptimeS: 100, connections: USERS_PER_NODE, rooms: 500, cpu: 0.4, eventLoop: 0.3 },
    ...{ memoryBytes: 3e8, messagesPerS: 40, deliveriesPerS: 4_000, draining: false },
    ...{ redis: 'ok', presence: 'ok', archive: 'off' },
  };
  const answerTo = (kind: string, query: unknown): unknown => {
    if (kind === 'rooms') return rooms.slice(0, Number(query));
    if (kind === 'sessions') return [{ sinceTs: 1, rooms: 3, roles: [] }];
    const { contains, after, limit } = query as { contains: string; after: string; limit: number };
    return users.filter(({ id }) => id > after && id.includes(contains)).slice(0, limit + 1);
  };
  return {
    report: () => redis.hset(nodeReportsKey(), node, JSON.stringify({ ...report, ts: Date.now() })),
    answer(json) {
      const { id, from, kind, query } = JSON.parse(json) as { id: string; from: string; kind: string; query: unknown };
      void redis.spublish(answersChannel(from), JSON.stringify({ id, node, answer: answerTo(kind, query) }));
    },
  };
}

const commandsOf = async (redis: Redis): Promise<Map<string, number>> => {
  const stats = await redis.info('commandstats');
  return new Map(
    [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
};

const site = await startGateways({ gateways: REAL_NODES });
const redis = new Redis(site.redis.url, { protocol: 2 });
const subscriber = new Redis(site.redis.url, { protocol: 2 });
let timer: NodeJS.Timeout | undefined;
try {
  say(`${availableParallelism()} × ${cpus()[0]?.model}; ${NODES} nodes (${REAL_NODES} of them real), ${ROOMS} rooms`);
  await makeRooms(redis);
  await makeReportsAndAudit(redis);
  const nodes = Array.from({ length: NODES - REAL_NODES }, (_, index) => simulateNode(index, redis));
  subscriber.on('smessage', (_channel: string, json: string) => {
    for (const node of nodes) node.answer(json);
  });
  await subscriber.ssubscribe(questionsChannel());
  const reportAll = () => Promise.all(nodes.map((node) => node.report()));
  await reportAll();
  timer = setInterval(() => void reportAll(), REPORT_PERIOD_MS);

  const url = `${site.gateways[0]?.url}/api/v1/admin`;
  const headers = { authorization: `Bearer ${tokenOf('root', { roles: ['admin'] })}` };
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`, { headers });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 200)}`);
    return body;
  };
  await poll('all nodes', async () => (JSON.parse(await get('/nodes')) as { nodes: unknown[] }).nodes.length === NODES);

  say('| call | p50 ms | p99 ms | bytes | commands of Redis a call |\n| --- | --- | --- | --- | --- |');
  for (const [name, path] of Object.entries(CALL_PATHS)) {
    const body = await get(path);
    const { missing = [] } = JSON.parse(body) as { missing?: string[] };
    if (missing.length > 0) throw new Error(`${path}: ${missing.length} nodes did not answer`);
    const before = await commandsOf(redis);
    const times: number[] = [];
    for (let n = 0; n < CALLS; n++) {
      const startedMs = performance.now();
      await get(path);
      times.push(performance.now() - startedMs);
      // Below the limit of calls of one user.
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const after = await commandsOf(redis);
    const used = [...after].flatMap(([command, calls]) => {
      const each = (calls - (before.get(command) ?? 0)) / CALLS;
      return each >= 0.5 ? [`${command} ${each.toFixed(0)}`] : [];
    });
    const scans = [...after].filter(
      ([command, calls]) => FORBIDDEN.includes(command) && calls > (before.get(command) ?? 0),
    );
    if (scans.length > 0) throw new Error(`${path} scans the store: ${scans.join()}`);
    say(
      `| ${name} | ${quantile(times, 0.5).toFixed(1)} | ${quantile(times, 0.99).toFixed(1)} | ${body.length} | ${used.join(', ')} |`,
    );
  }
} finally {
  clearInterval(timer);
  redis.disconnect();
  subscriber.disconnect();
  await site.stop();
}
