/**
 * Acts on users who send as fast as allowed on every node. Their messages are not stored above the
 * act, and they receive nothing above it.
 */
import { createRandom } from '../faults/random.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { milliseconds, type Outcome, percentile, type Say } from './outcome.ts';
import { ACTS, type ActName } from './race-check.ts';
import { RaceMember } from './race-members.ts';
import { type RoundResult, runRound } from './race-round.ts';
import { WireClient } from './wire-client.ts';

export interface RaceOptions {
  rounds: number;
  seed: number;
  /** Number of sending connections. At least eight of them belong to the target. */
  senders: number;
  say: Say;
  isEnding?: () => boolean;
  acts?: readonly ActName[];
}

const GATEWAYS = 4;
const TARGET_CONNECTIONS = 8;
const OWNER = 'owner';
const SAID_ROUNDS = 20;
const ADMIN = tokenOf('admin', { roles: ['admin'] });
/** Wide limits, because a target opens many connections in a short time. */
const LIMITS = {
  ...WIDE_LIMITS,
  MARU_USER_JOINS_PER_SECOND: '50000',
  MARU_USER_JOINS_BURST: '100000',
  MARU_USER_TYPING_PER_SECOND: '50000',
  MARU_USER_TYPING_BURST: '100000',
  MARU_CONNECTIONS_PER_USER_MAX: '10000',
  MARU_CONNECTIONS_PER_USER_CLUSTER_MAX: '10000',
};

export async function runRace(options: RaceOptions): Promise<Outcome> {
  const cluster = await startGateways({ gateways: GATEWAYS, environment: LIMITS });
  try {
    return await raceOn(cluster, options);
  } finally {
    await cluster.stop();
  }
}

async function raceOn({ gateways }: Gateways, options: RaceOptions): Promise<Outcome> {
  const { rounds, seed, senders, say, isEnding = () => false } = options;
  const endpoints = gateways.map(({ url }) => url);
  const random = createRandom(seed);
  const owners = endpoints.map((endpoint) => new WireClient(endpoint, { token: tokenOf(OWNER) }));
  const members = Array.from({ length: senders - TARGET_CONNECTIONS }, (_, index) => {
    const user = `member-${index + 1}`;
    return new RaceMember({ user, token: tokenOf(user), endpoint: endpoints[index % GATEWAYS] as string });
  });
  await Promise.all([...owners.map(({ ready }) => ready), ...members.map((member) => member.ready())]);
  const acts = options.acts ?? (await actsOf(endpoints[0] as string, say));
  const results: RoundResult[] = [];
  const counts = new Map<ActName, number>();
  for (let number = 1; number <= rounds && !isEnding(); number++) {
    const act = acts[(number - 1) % acts.length] as ActName;
    counts.set(act, (counts.get(act) ?? 0) + 1);
    const result = await runRound({
      number,
      act,
      endpoints,
      members,
      owners,
      ownerId: OWNER,
      adminToken: ADMIN,
      random,
    });
    for (const violation of result.violations) say(violation);
    results.push(result);
    if (number % SAID_ROUNDS === 0) say(`${number} of ${rounds} rounds`);
  }
  for (const client of owners) client.cut();
  for (const member of members) member.close();
  return outcomeOf(results, counts, members);
}

/** All acts that this cluster supports. */
async function actsOf(endpoint: string, say: Say): Promise<ActName[]> {
  const { status } = await call(endpoint, '/admin/users/-/revoke', { method: 'GET', token: ADMIN });
  if (status !== 404) return [...ACTS];
  say('SKIPPED revocation: this cluster does not have it');
  return ACTS.filter((act) => act !== 'revoke');
}

function outcomeOf(
  results: readonly RoundResult[],
  counts: ReadonlyMap<ActName, number>,
  members: readonly RaceMember[],
): Outcome {
  const sum = (of: (result: RoundResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const actMs = results.map((result) => result.actMs);
  return {
    name: 'race',
    violations: results.flatMap(({ violations }) => violations),
    figures: [
      ['rounds', [...counts].map(([act, count]) => `${count} ${act}`).join(', ')],
      ['entries', sum(({ entries }) => entries)],
      ['entries of targets', sum(({ targetEntries }) => targetEntries)],
      ['entries that targets got', sum(({ targetDeliveries }) => targetDeliveries)],
      ['requests of targets refused after the act', sum(({ refusedAfter }) => refusedAfter)],
      ['refusals of other members', members.reduce((total, { refused }) => total + refused, 0)],
      ['act acknowledged, median', milliseconds(percentile(actMs, 0.5))],
      ['act acknowledged, p99', milliseconds(percentile(actMs, 0.99))],
    ],
  };
}
