/**
 * An office behind one address: thousands of users, twenty of whom flood the cluster. The others
 * lose nothing, none is refused, and their messages stay about as fast as before.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Entry } from '@maru/protocol';
import { createRandom } from '../faults/random.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { poll, sleep } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';
import type { AbuseFigures, AbusePlan } from './office-abusers.ts';
import { type OfficeLog, OfficeUser, type Phase } from './office-users.ts';
import { milliseconds, type Outcome, percentile, type Say } from './outcome.ts';
import { WireClient } from './wire-client.ts';

export interface OfficeOptions {
  users: number;
  /** Duration of both phases together. */
  minutes: number;
  seed: number;
  say: Say;
}

const GATEWAYS = 2;
const ABUSERS = 20;
const ROOM_USERS = 50;
const MESSAGES_PER_USER_AND_MINUTE = 1;
const RECONNECTS_PER_SECOND = 1;
const ARRIVALS = 20;
const ARRIVALS_EVERY_MS = 100;
const WARM_UP_MS = 5_000;
const SLOWER_MAX = 2;
const SETTLE_MS = 60_000;
const PAGE = 200;
const SLICE_MS = 10_000;
const LAG_RESOLUTION_MS = 1;
const NS_PER_MS = 1_000_000;

export async function runOffice(options: OfficeOptions): Promise<Outcome> {
  const cluster = await startCluster({ gateways: GATEWAYS });
  try {
    return await officeOn(cluster, options);
  } finally {
    await cluster.stop();
  }
}

async function officeOn(cluster: Cluster, { users, minutes, seed, say }: OfficeOptions): Promise<Outcome> {
  const { endpoint } = cluster;
  const random = createRandom(seed);
  const tokenOf = (sub: string) =>
    mintToken(cluster.jwtSecret, { sub, name: sub, exp: Math.floor(Date.now() / 1_000) + 43_200 });
  const newPhase = (name: string): Phase => ({ name, deliveryMs: [], ackMs: [] });
  const log: OfficeLog = { violations: [], refused: 0, lost: 0, reconnects: 0, acknowledged: [], phase: newPhase('') };
  const sentAtMs = new Map<string, number>();
  const rooms = Array.from({ length: Math.ceil((users - ABUSERS) / ROOM_USERS) }, (_, index) => `office-${index}`);
  const quiet = Array.from({ length: users - ABUSERS }, (_, index) => {
    const user = `quiet-${index}`;
    return new OfficeUser(user, rooms[index % rooms.length] as string, {
      endpoint,
      token: tokenOf(user),
      log,
      sentAtMs,
    });
  });
  for (let first = 0; first < quiet.length; first += ARRIVALS) {
    await Promise.all(quiet.slice(first, first + ARRIVALS).map((user) => user.enter()));
    await sleep(ARRIVALS_EVERY_MS / 2);
  }
  say(`${quiet.length} users are in ${rooms.length} rooms`);

  const everyMs = 60_000 / (quiet.length * MESSAGES_PER_USER_AND_MINUTE);
  const talking = setInterval(() => void random.pick(quiet).send(), everyMs);
  const returning = setInterval(() => void random.pick(quiet).comeBack(), 1_000 / RECONNECTS_PER_SECOND);
  const phaseMs = (minutes * 60_000) / 2;
  const measure = async (name: string, work: () => Promise<unknown>) => {
    const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    log.phase = newPhase(name);
    const { phase } = log;
    lag.enable();
    const slices = sayEach(phase, say);
    await work();
    clearInterval(slices);
    lag.disable();
    const { p99, max } = { p99: lag.percentile(99) / NS_PER_MS, max: lag.max / NS_PER_MS };
    return { phase, lag: `p99 ${milliseconds(p99)}, longest ${milliseconds(max)}` };
  };
  await sleep(WARM_UP_MS);
  const calm = await measure('calm', () => sleep(phaseMs));
  const tokens = Array.from({ length: ABUSERS }, (_, index) => tokenOf(`abuser-${index}`));
  let abuse: (AbuseFigures & { cpuS: number }) | undefined;
  const abused = await measure('abused', async () => {
    abuse = await runAbusers({ endpoint, tokens, rooms, lengthMs: phaseMs });
  });
  clearInterval(talking);
  clearInterval(returning);
  await settle(quiet, rooms, { endpoint, token: tokenOf('reader') }, log);
  for (const user of quiet) user.close();
  return outcomeOf(log, calm, abused, abuse);
}

/** Prints the speed of deliveries in each slice of a phase. */
function sayEach({ name, deliveryMs }: Phase, say: Say): NodeJS.Timeout {
  let said = 0;
  return setInterval(() => {
    const slice = deliveryMs.slice(said);
    said = deliveryMs.length;
    say(`${name}: ${slice.length} deliveries, p99 ${milliseconds(percentile(slice, 0.99))}`);
  }, SLICE_MS);
}

/** Runs the abusers in their own process. */
async function runAbusers(plan: AbusePlan): Promise<AbuseFigures & { cpuS: number }> {
  const child = fork(new URL('./office-abusers.ts', import.meta.url));
  // In reality, abusers have separate machines. Here they must not take the processors of the
  // cluster.
  setPriority(child.pid as number, constants.priority.PRIORITY_LOW);
  try {
    child.send(plan);
    const [figures] = (await once(child, 'message')) as [AbuseFigures & { cpuS: number }];
    return figures;
  } finally {
    child.kill('SIGKILL');
  }
}

/** All users have the newest entry, and every acknowledged message is in the history. */
async function settle(
  quiet: readonly OfficeUser[],
  rooms: readonly string[],
  reader: { endpoint: string; token: string },
  log: OfficeLog,
): Promise<void> {
  const client = new WireClient(reader.endpoint, { token: reader.token });
  await client.ready;
  const heads = new Map<string, number>();
  const stored = new Map<string, string>();
  for (const room of rooms) {
    const history = await readAll(client, room);
    heads.set(room, history.at(-1)?.seq ?? 0);
    for (const { seq, clientMsgId } of history) stored.set(`${room} ${seq}`, clientMsgId ?? '');
  }
  const late = () => quiet.filter(({ room, position }) => (position?.seq ?? 0) < (heads.get(room) ?? 0));
  await poll('everybody to have everything', () => late().length === 0, { timeoutMs: SETTLE_MS }).catch(() => {
    log.violations.push(`I2: ${late().length} users do not have the last entry`);
  });
  const lost = log.acknowledged.filter(({ room, seq, clientMsgId }) => stored.get(`${room} ${seq}`) !== clientMsgId);
  if (lost.length > 0) log.violations.push(`I1: ${lost.length} acknowledged messages are not in the history`);
  client.cut();
}

async function readAll(client: WireClient, room: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let after = 0; ; ) {
    const reply = await client.request('history:read', { room, after, limit: PAGE });
    if (reply === 'cut') throw new Error('the reader was cut');
    if (!reply.ok) {
      await sleep(reply.error.retryAfterMs ?? 100);
      continue;
    }
    entries.push(...reply.data.messages);
    const last = reply.data.messages.at(-1);
    if (!reply.data.hasMore || last === undefined) return entries;
    after = last.seq;
  }
}

interface Measured {
  phase: Phase;
  lag: string;
}

function outcomeOf(log: OfficeLog, calm: Measured, abused: Measured, abuse: object | undefined): Outcome {
  const violations = [...log.violations];
  if (log.refused > 0) violations.push(`${log.refused} messages of quiet users were refused`);
  if (log.lost > 0) violations.push(`${log.lost} connections of quiet users were cut or refused`);
  const figures: Array<readonly [string, string | number]> = [];
  for (const [label, of] of [
    ['delivery', 'deliveryMs'],
    ['acknowledgement', 'ackMs'],
  ] as const) {
    const [before, during] = [calm, abused].map(({ phase }) => percentile(phase[of], 0.99)) as [number, number];
    const [median, medianDuring] = [calm, abused].map(({ phase }) => percentile(phase[of], 0.5)) as [number, number];
    figures.push([`${label}, median: calm, abused`, `${milliseconds(median)}, ${milliseconds(medianDuring)}`]);
    figures.push([`${label}, p99: calm, abused`, `${milliseconds(before)}, ${milliseconds(during)}`]);
    figures.push([`${label}s: calm, abused`, `${calm.phase[of].length}, ${abused.phase[of].length}`]);
    if (during > SLOWER_MAX * before)
      violations.push(`${label} p99 grew from ${milliseconds(before)} to ${milliseconds(during)}`);
  }
  return {
    name: 'office',
    violations,
    figures: [
      ...figures,
      ['acknowledged messages', log.acknowledged.length],
      ['reconnects of quiet users', log.reconnects],
      ['event-loop delay of the generator, calm', calm.lag],
      ['event-loop delay of the generator, abused', abused.lag],
      ['the abusers', JSON.stringify(abuse)],
    ],
  };
}
