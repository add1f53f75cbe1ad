/**
 * Guests who fill the store as much as they can. It keeps at most the bytes of their quotas, and
 * normal users are not affected.
 */
import { createRandom, type Random } from '../faults/random.ts';
import { onNode } from '../faults/store.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { sleep } from '../support/poll.ts';
import { createGuest, newId } from '../support/tokens.ts';
import { ATTACKS, type Loot } from './attacks.ts';
import { kilobytes, milliseconds, type Outcome, percentile, type Say } from './outcome.ts';
import { WireClient } from './wire-client.ts';

export interface AttackersOptions {
  guests: number;
  minutes: number;
  seed: number;
  say: Say;
}

const GATEWAYS = 2;
const GUESTS_ON = { MARU_GUESTS: 'on', MARU_GUEST_SECRET: 'a-secret-of-guests-for-tests-0123456789' };
/** The default for a guest: available at once, and again within an hour. */
export const GUEST_BYTES = 2_000_000;
const MINUTES_PER_HOUR = 60;
/** The largest request, whose bytes a node may owe. */
const REQUEST_BYTES_MAX = 24_000;
const NORMAL_USERS = 12;
const NORMAL_ROOM = 'ordinary';
const NORMAL_EVERY_MS = 2_000;
/** One attacker uses everything that the cluster allows. Many attackers share this machine. */
const PAUSE_MS = { alone: 2, many: 100 } as const;
const CONNECTIONS = { alone: 4, many: 1 } as const;
const SAMPLE_MS = 1_000;
const QUIET_MS = 1_500;
/** A refusal with a longer wait is about the hourly bytes or rooms. */
const LONG_WAIT_MS = 1_000;
const ALONE_MAX = 4;
const KIND_MS = 8_000;

/** Starts two gateways on which guests may sign in. */
export const startForGuests = (environment: Record<string, string> = {}): Promise<Gateways> =>
  startGateways({ gateways: GATEWAYS, environment: { ...GUESTS_ON, ...environment } });

export async function runAttackers(options: AttackersOptions): Promise<Outcome> {
  const cluster = await startForGuests();
  try {
    return await attack(cluster, options);
  } finally {
    await cluster.stop();
  }
}

async function attack({ gateways, redis }: Gateways, options: AttackersOptions): Promise<Outcome> {
  const { guests, minutes, seed, say } = options;
  const endpoints = gateways.map(({ url }) => url);
  const random = createRandom(seed);
  const tokens: string[] = [];
  for (let index = 0; index < guests; index++)
    tokens.push((await createGuest(endpoints[index % GATEWAYS] as string, `Guest ${index}`)).token);
  const normal = await startNormalUsers(endpoints);
  await sleep(QUIET_MS);
  const before = await memoryOf(redis.url);
  const endAtMs = Date.now() + minutes * 60_000;
  const counts = new Map<string, number>();
  const attackers = tokens.flatMap((token, index) =>
    Array.from({ length: guests <= ALONE_MAX ? CONNECTIONS.alone : CONNECTIONS.many }, (_, connection) =>
      attackAs({
        endpoint: endpoints[(index + connection) % GATEWAYS] as string,
        token,
        random,
        endAtMs,
        counts,
        guests,
      }),
    ),
  );
  let peak = 0;
  let minute = 0;
  const startedAtMs = Date.now();
  while (Date.now() < endAtMs) {
    await sleep(SAMPLE_MS);
    peak = Math.max(peak, await growthOf(redis.url, before));
    if (Date.now() - startedAtMs >= (minute + 1) * 60_000) say(`${++minute} min: ${kilobytes(peak)}`);
  }
  await Promise.all(attackers);
  await normal.stop();
  peak = Math.max(peak, await growthOf(redis.url, before));
  const bound = guests * (GUEST_BYTES * (1 + minutes / MINUTES_PER_HOUR) + GATEWAYS * REQUEST_BYTES_MAX);
  const violations = [...normal.violations];
  if (peak > bound) violations.push(`the store grew by ${kilobytes(peak)}, above ${kilobytes(bound)}`);
  return {
    name: `attackers, ${guests} guest${guests === 1 ? '' : 's'}`,
    violations,
    figures: [
      ['growth of the store (used_memory_dataset)', kilobytes(peak)],
      ['bound', kilobytes(bound)],
      ['requests of attackers', [...counts.values()].reduce((sum, count) => sum + count, 0)],
      [
        'their answers',
        [...counts]
          .sort((a, b) => b[1] - a[1])
          .map(([code, count]) => `${count} ${code}`)
          .join(', '),
      ],
      ['messages of ordinary users', normal.ackMs.length],
      ['their acknowledgement, median', milliseconds(percentile(normal.ackMs, 0.5))],
      ['their acknowledgement, p99', milliseconds(percentile(normal.ackMs, 0.99))],
    ],
  };
}

async function attackAs(plan: {
  endpoint: string;
  token: string;
  random: Random;
  endAtMs: number;
  counts: Map<string, number>;
  guests: number;
}): Promise<void> {
  const { endpoint, token, random, endAtMs, counts, guests } = plan;
  const kinds = Object.values(ATTACKS);
  const pauseMs = guests <= ALONE_MAX ? PAUSE_MS.alone : PAUSE_MS.many;
  const loot: Loot = { publicRooms: [], privateRooms: [], messages: [] };
  let client = new WireClient(endpoint, { token });
  while (Date.now() < endAtMs) {
    if (client.ended !== undefined) client = new WireClient(endpoint, { token });
    const isIn = await client.ready.then(
      () => true,
      () => false,
    );
    const { code } = isIn ? await random.pick(kinds)(client, loot, random) : { code: 'no connection' };
    counts.set(code, (counts.get(code) ?? 0) + 1);
    // More than allowed: it does not wait as long as refusals request.
    await sleep(random.between(1, pauseMs));
  }
  client.cut();
}

/** A dozen users who chat in a separate room. */
async function startNormalUsers(endpoints: readonly string[]) {
  const violations: string[] = [];
  const ackMs: number[] = [];
  const clients = await Promise.all(
    Array.from({ length: NORMAL_USERS }, async (_, index) => {
      const user = `ordinary-${index}`;
      const client = new WireClient(endpoints[index % GATEWAYS] as string, {
        token: tokenOf(user),
        onEnd: (why) => {
          if (!isStopped) violations.push(`${user} lost its connection: ${why}`);
        },
      });
      await client.ready;
      await client.ok('room:join', { room: NORMAL_ROOM });
      return client;
    }),
  );
  let isStopped = false;
  const talk = async (client: WireClient, index: number) => {
    await sleep((index * NORMAL_EVERY_MS) / NORMAL_USERS);
    while (!isStopped) {
      const startedAtMs = performance.now();
      const reply = await client.request('message:send', { room: NORMAL_ROOM, clientMsgId: newId(), text: 'hello' });
      const tookMs = performance.now() - startedAtMs;
      if (reply !== 'cut' && reply.ok) ackMs.push(tookMs);
      else violations.push(`an ordinary message was refused: ${reply === 'cut' ? 'cut' : reply.error.code}`);
      await sleep(Math.max(0, NORMAL_EVERY_MS - tookMs));
    }
  };
  const work = clients.map(talk);
  return {
    violations,
    ackMs,
    async stop() {
      isStopped = true;
      await Promise.all(work);
      for (const client of clients) client.cut();
    },
  };
}

interface Memory {
  dataset: number;
  /** The room of normal users, which is not charged to attackers. */
  normal: number;
}

function memoryOf(redisUrl: string): Promise<Memory> {
  return onNode(redisUrl, async (redis) => {
    const info = String(await redis.call('INFO', 'memory'));
    const dataset = Number(/used_memory_dataset:(\d+)/.exec(info)?.[1] ?? 0);
    const keys = ['log', 'ids', 'meta'].map((part) => `maru:{${NORMAL_ROOM}}:${part}`);
    const sizes = await Promise.all(keys.map((key) => redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')));
    return { dataset, normal: sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0) };
  });
}

async function growthOf(redisUrl: string, before: Memory): Promise<number> {
  const { dataset, normal } = await memoryOf(redisUrl);
  return dataset - before.dataset - (normal - before.normal);
}

/**
 * Each kind of attack alone, until the guest's bytes are used up. @returns the growth of the store
 * by kind
 */
export async function measureKinds(cluster: Gateways, kindMs: number, seed = 1): Promise<Map<string, number>> {
  const { redis } = cluster;
  const random = createRandom(seed);
  const growths = new Map<string, number>();
  for (const [kind, attackOnce] of Object.entries(ATTACKS)) {
    const { url } = cluster.gateways[0] ?? {};
    const { token } = await createGuest(url as string, kind);
    const client = new WireClient(url as string, { token });
    await client.ready;
    const loot: Loot = { publicRooms: [], privateRooms: [], messages: [] };
    for (const needed of ['public rooms', 'private rooms', 'shortest messages'])
      await ATTACKS[needed]?.(client, loot, random);
    const before = await memoryOf(redis.url);
    const endAtMs = Date.now() + kindMs;
    let isFull = false;
    const work = async () => {
      while (!isFull && Date.now() < endAtMs) {
        const { code, retryAfterMs } = await attackOnce(client, loot, random);
        if (code === 'cut' || (code === 'rate_limited' && retryAfterMs > LONG_WAIT_MS)) isFull = true;
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    client.cut();
    growths.set(kind, await growthOf(redis.url, before));
  }
  return growths;
}

/** `measureKinds` with very high rates, so that only the guest's bytes limit an attack. */
export async function runKinds(options: { seed: number; say: Say }): Promise<Outcome> {
  const cluster = await startForGuests({
    ...WIDE_LIMITS,
    MARU_USER_JOINS_PER_SECOND: '50000',
    MARU_USER_JOINS_BURST: '100000',
    MARU_CONNECTION_BYTES_PER_SECOND: '100000000',
    MARU_GUEST_BYTES_PER_HOUR: String(GUEST_BYTES),
  });
  try {
    const growths = await measureKinds(cluster, KIND_MS, options.seed);
    const bound = GUEST_BYTES + GATEWAYS * REQUEST_BYTES_MAX;
    return {
      name: 'attackers, each kind alone',
      violations: [...growths].flatMap(([kind, bytes]) =>
        bytes > bound ? [`${kind}: the store grew by ${kilobytes(bytes)}, above ${kilobytes(bound)}`] : [],
      ),
      figures: [['bound', kilobytes(bound)], ...[...growths].map(([kind, bytes]) => [kind, kilobytes(bytes)] as const)],
    };
  } finally {
    await cluster.stop();
  }
}
