/**
 * Revocation under load while one gateway is stopped. When it continues, it serves nothing to the
 * revoked user, other users lose nothing, and the token stays revoked after a restart of
 * everything.
 */
import { startTestRedis } from '@maru/service-kit/testing';
import { encode } from '@maru/testkit/codec/packets';
import { Crowd } from '../faults/crowd.ts';
import { createRandom } from '../faults/random.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll, sleep } from '../support/poll.ts';
import { milliseconds, type Outcome, type Say } from './outcome.ts';
import { WireClient } from './wire-client.ts';

export interface RevokeOptions {
  seed: number;
  say: Say;
  /** How long the gateway is stopped. */
  stopMs?: number;
  clients?: number;
}

const GATEWAYS = 4;
const STOP_MS = 30_000;
const CLIENTS = 40;
const ROOMS = 5;
const MESSAGES_PER_SECOND = 100;
/** Within this time, everything that the stopped node has written arrives. */
const ARRIVE_MS = 500;
const CUT_WITHIN_MS = 1_000;
const QUEUED_REQUESTS = 20;
const SETTLE_MS = 60_000;
const HISTORY_MS = 30_000;
/**
 * The only packets that a node may still send to the revoked user: the reason and the end. `2` and
 * `0` are Engine.IO's.
 */
const FAREWELL =
  /^(2$|0\{|41$|1$|44\{"message":".{0,200}"data":\{"code":"unauthenticated"|42\["notice",\{"code":"revoked"\}\])/;
const ADMIN = tokenOf('admin', { roles: ['admin'] });

export async function runRevoke(options: RevokeOptions): Promise<Outcome> {
  const redis = await startTestRedis({ appendOnly: 'always' });
  const start = () => startGateways({ redis, gateways: GATEWAYS, environment: WIDE_LIMITS });
  let cluster = await start();
  try {
    const token = tokenOf('mallory');
    const outcome = await revokeOn(cluster, token, options);
    options.say('restarting Redis and all gateways');
    await cluster.stop();
    await redis.restart();
    cluster = await start();
    outcome.violations.push(...(await stillServed(cluster.gateways, token)).map((one) => `after the restart, ${one}`));
    return outcome;
  } finally {
    await cluster.stop();
    await redis.stop();
  }
}

async function revokeOn({ gateways }: Gateways, token: string, options: RevokeOptions): Promise<Outcome> {
  const { seed, say, stopMs = STOP_MS, clients = CLIENTS } = options;
  const violations: string[] = [];
  const random = createRandom(seed);
  const endpoints = gateways.map(({ url }) => url);
  let stored = 0;
  const crowd = new Crowd({
    endpoints,
    token: (user) => tokenOf(user),
    clients,
    rooms: ROOMS,
    actsPerSecond: MESSAGES_PER_SECOND,
    pollingEvery: 0,
    random,
    onAnswer({ outcome }) {
      if (outcome === 'stored') stored++;
    },
    onViolation: (violation) => violations.push(violation),
  });
  const room = [...crowd.rooms.keys()][0] as string;
  const stopped = random.pick(gateways);
  const others = gateways.filter((gateway) => gateway !== stopped);
  try {
    await crowd.connect();
    crowd.startSending();
    const mallory = await Promise.all(
      gateways.flatMap(({ url }) => [enter(url, token, room), enter(url, token, room)]),
    );
    await sleep(2_000);
    say(`stopping ${stopped.name} for ${stopMs / 1_000} s`);
    stopped.child.kill('SIGSTOP');
    await sleep(ARRIVE_MS);
    const onStopped = mallory.filter(({ url }) => url === stopped.url);
    const marks = onStopped.map(({ frames }) => frames.length);
    for (const { client } of onStopped) queueRequests(client, room);
    // These connect while the node is stopped. The kernel accepts them, and their packets wait.
    const waiting = [enterLate(stopped.url, token, room), enterLate(stopped.url, token, room)];
    const cutMs = await revokeUser(others, mallory, violations);
    violations.push(...(await stillServed(others, token)));
    await sleep(stopMs);
    stopped.child.kill('SIGCONT');
    const wokenAtMs = performance.now();
    await poll('the end of the connections', () => [...onStopped, ...waiting].every(({ client }) => client.ended), {
      timeoutMs: SETTLE_MS,
    }).catch((error: unknown) => violations.push(String(error)));
    const endedMs = performance.now() - wokenAtMs;
    const served = [
      ...onStopped.flatMap(({ frames }, index) => frames.slice(marks[index])),
      ...waiting.flatMap(({ frames }) => frames),
    ].filter((frame) => !FAREWELL.test(frame));
    for (const frame of served.slice(0, 5)) violations.push(`the woken node served ${frame.slice(0, 120)}`);
    if (served.length > 5) violations.push(`the woken node served ${served.length} frames`);
    await poll('the woken node to be ready', () => stopped.ready(), { timeoutMs: SETTLE_MS });
    violations.push(...(await stillServed(gateways, token)));
    violations.push(...(await finish(crowd, stopped)));
    return {
      name: 'revoke',
      violations,
      figures: [
        ['gateway stopped', `${stopped.name}, ${stopMs / 1_000} s`],
        ['messages of others stored', stored],
        ['last of 6 connections cut after the answer, other nodes', milliseconds(cutMs)],
        ['last connection cut after the wake', milliseconds(endedMs)],
        ['frames served after the wake', served.length],
      ],
    };
  } finally {
    stopped.child.kill('SIGCONT');
    crowd.close();
  }
}

interface Raw {
  url: string;
  client: WireClient;
  frames: string[];
}

function open(url: string, token: string): Raw {
  const frames: string[] = [];
  return { url, frames, client: new WireClient(url, { token, onFrame: (frame) => frames.push(frame) }) };
}

async function enter(url: string, token: string, room: string): Promise<Raw> {
  const raw = open(url, token);
  await raw.client.ready;
  await raw.client.ok('room:join', { room });
  await raw.client.ok('presence:watch', { room });
  return raw;
}

/** Sends its requests together with the first packet, without waiting for an answer. */
function enterLate(url: string, token: string, room: string): Raw {
  const raw = open(url, token);
  raw.client.sendEarly([encode.connect({ token }), ...requestsOf(room)]);
  return raw;
}

const requestsOf = (room: string): string[] => [
  ...Array.from({ length: QUEUED_REQUESTS }, (_, index) =>
    encode.event('message:send', { room, clientMsgId: `stolen-${index}`, text: `stolen ${index}` }, 1_000 + index),
  ),
  encode.event('room:create', { room: `stolen-${room}` }, 2_000),
  encode.event('history:read', { room }, 2_001),
  encode.event('room:join', { room }, 2_002),
  encode.event('typing', { room, active: true }, 2_003),
];

function queueRequests(client: WireClient, room: string): void {
  for (const request of requestsOf(room)) client.sendFrame(request);
}

/** @returns the time from the answer until the last connection to the running nodes ended */
async function revokeUser(others: readonly ServiceProcess[], mallory: readonly Raw[], violations: string[]) {
  const [first] = others as [ServiceProcess];
  const { status, body } = await call(first.url, '/admin/users/mallory/revoke', {
    method: 'POST',
    token: ADMIN,
    body: { reason: 'measured' },
  });
  const answeredAtMs = performance.now();
  if (status !== 200) throw new Error(`the revocation was answered ${status}: ${JSON.stringify(body)}`);
  const running = mallory.filter(({ url }) => others.some((other) => other.url === url));
  await poll('the connections to be cut', () => running.every(({ client }) => client.ended !== undefined), {
    timeoutMs: 10_000,
    everyMs: 5,
  }).catch((error: unknown) => violations.push(String(error)));
  const cutMs = performance.now() - answeredAtMs;
  if (cutMs > CUT_WITHIN_MS) violations.push(`the last connection was cut ${milliseconds(cutMs)} after the answer`);
  return cutMs;
}

/** The nodes that still accept the token, by WebSocket or HTTP. */
async function stillServed(gateways: readonly ServiceProcess[], token: string): Promise<string[]> {
  const found = await Promise.all(
    gateways.map(async ({ name, url }) => {
      const client = new WireClient(url, { token });
      const why = await client.ready.then(
        () => 'a session',
        (error: Error) => error.message,
      );
      client.cut();
      const { status } = await call(url, '/rooms', { token });
      const problems = why === 'refused: unauthenticated' ? [] : [`${name} answered the revoked token with ${why}`];
      return status === 401 ? problems : [...problems, `${name} answered an HTTP call with ${status}`];
    }),
  );
  return found.flat();
}

/**
 * Compares everything that the other users saw with the history, which must contain nothing of the
 * revoked user.
 */
async function finish(crowd: Crowd, stopped: ServiceProcess): Promise<string[]> {
  const violations: string[] = [];
  const startedAtMs = performance.timeOrigin + performance.now();
  await crowd.whole(startedAtMs, SETTLE_MS).catch((error: unknown) => violations.push(`I5: ${String(error)}`));
  crowd.stopSending();
  const pending = await crowd.settled(SETTLE_MS);
  if (pending > 0) violations.push(`I5: ${pending} messages were never acknowledged`);
  await crowd.whole(performance.timeOrigin + performance.now(), SETTLE_MS).catch((error: unknown) => {
    violations.push(`I5: ${String(error)}`);
  });
  for (const [room, checker] of crowd.rooms) {
    const history = await crowd.history(room, HISTORY_MS);
    violations.push(...checker.finish({ history, rollbacks: 0, mayLose: false }));
    const stolen = history.filter(({ text }) => text?.startsWith('stolen') === true);
    if (stolen.length > 0) violations.push(`${stolen.length} requests of the revoked user were carried out`);
    const created = await call(stopped.url, `/rooms/stolen-${room}/messages`, { token: tokenOf('witness') });
    if (created.status !== 404) violations.push(`the room of the revoked user was answered with ${created.status}`);
  }
  return violations;
}
