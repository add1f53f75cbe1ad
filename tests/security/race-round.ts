/**
 * One round of a race: a new room, a new target, and one act at a random moment from a random node.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActData, Entry } from '@maru/protocol';
import { RoomChecker } from '@maru/testkit/checker/room-checker';
import type { Random } from '../faults/random.ts';
import { tokenOf } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { type ActName, checkTarget, type DoneAct, hides, REVOKED_WITHIN_MS } from './race-check.ts';
import type { RaceMember } from './race-members.ts';
import { Target } from './race-target.ts';
import type { WireClient } from './wire-client.ts';

export interface RoundOptions {
  number: number;
  act: ActName;
  endpoints: readonly string[];
  members: readonly RaceMember[];
  /** The owner's connections, one on each node. */
  owners: readonly WireClient[];
  ownerId: string;
  adminToken: string;
  random: Random;
}

export interface RoundResult {
  violations: string[];
  entries: number;
  /** Number of the target's entries, and of entries that its connections received. */
  targetEntries: number;
  targetDeliveries: number;
  /** Requests of the target that were refused after the act. */
  refusedAfter: number;
  /** From the act's request to its acknowledgement. */
  actMs: number;
}

/** Time span in which the act happens at a random moment. */
const ACT_AFTER_MS = [30, 300] as const;
const GO_ON_MS = 120;
const BRIEF_KICK_MS = 1_000;
const MOVERS = 2;
const SETTLE_TIMEOUT_MS = 30_000;
const LATE_MS = 30;
const PAGE = 200;

const REQUESTS = {
  ban: 'room:ban',
  'ban private': 'room:ban',
  mute: 'room:mute',
  kick: 'room:kick',
  'kick briefly': 'room:kick',
  'kick private': 'room:kick',
} as const;

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { number, act, endpoints, members, owners, ownerId, random } = options;
  const [owner] = owners as [WireClient];
  const user = `target-${number}-${randomUUID().slice(0, 8)}`;
  const room = await createRoom(options, user);
  const checker = new RoomChecker(room);
  const phase: { over: boolean } = { over: false };
  const isOver = () => phase.over;
  const target = new Target({ endpoints, token: tokenOf(user), user, room, checker, random, isOver });
  await Promise.all([...members.map((member) => member.enter({ room, checker, isOver })), target.start()]);

  const work = [...members.map((member) => member.chat()), target.run(), move(options)];
  await sleep(random.between(...ACT_AFTER_MS));
  const askedAtMs = performance.now();
  const done = await carryOut(options, room, user);
  const actMs = performance.now() - askedAtMs;
  const position = target.position;
  if (done.seq === undefined) await sleep(REVOKED_WITHIN_MS + 1);
  // On every node, a resume from before the act and one from the newest entry.
  const back = endpoints.flatMap((_, node) =>
    position === undefined ? [] : [target.comeBack(node, node % 2 === 0 ? { ...position, seq: 1 } : position)],
  );
  await sleep(act === 'kick briefly' ? BRIEF_KICK_MS + GO_ON_MS : GO_ON_MS);
  phase.over = true;
  await Promise.all([...work, ...back]);
  const violations = [...target.violations];
  if (done.seq === undefined && target.open > 0) violations.push(`revoke: ${target.open} connections are still open`);

  const last = await sendLast(owner, checker, room, ownerId);
  await poll('all members to have the last entry', () => members.every((m) => checker.position(m.user)?.seq === last), {
    timeoutMs: SETTLE_TIMEOUT_MS,
  }).catch(() => {
    const late = members.filter((member) => checker.position(member.user)?.seq !== last);
    violations.push(`I5: ${late.length} members do not have the last entry, such as ${late[0]?.user}`);
  });
  await sleep(LATE_MS);
  const history = await readAll(owner, room);
  target.close();
  await Promise.all(members.map((member) => member.leave()));

  violations.push(...checker.finish({ history, rollbacks: 0, mayLose: false, complete: false }));
  // The store's clock decides when a kick ends. Here it is the clock of this machine.
  const acted = history.find(({ seq }) => seq === done.seq)?.data as { untilTs?: number } | undefined;
  const lasting = { ...done, untilTs: acted?.untilTs };
  violations.push(...checkTarget(lasting, history, target.log), ...checkActs(history, act, user));
  violations.push(...checkSenders(done, checker, endpoints.length, last));
  return {
    violations: violations.map((violation) => `round ${number}, ${violation}`),
    entries: history.length,
    targetEntries: history.filter(({ from }) => from.id === user).length,
    targetDeliveries: target.log.seen.length,
    refusedAfter: target.log.asked.filter((one) => one.askedAtMs > done.ackedAtMs && one.outcome !== 'ok').length,
    actMs,
  };
}

async function createRoom({ act, owners, members }: RoundOptions, user: string): Promise<string> {
  const [owner] = owners as [WireClient];
  if (!act.endsWith('private')) {
    const { room } = await owner.ok('room:create', { room: `race-${randomUUID()}`, title: 'Race' });
    return room;
  }
  const { room } = await owner.ok('room:create', { visibility: 'private', title: 'Race' });
  await Promise.all(
    [...members.map((member) => member.user), user].map((invited) => owner.ok('room:invite', { room, user: invited })),
  );
  return room;
}

/** Some other members change their node at random moments. */
async function move({ members, endpoints, random }: RoundOptions): Promise<void> {
  const movers = Array.from({ length: MOVERS }, () => random.pick(members));
  for (const member of new Set(movers)) {
    await sleep(random.between(...ACT_AFTER_MS) / MOVERS);
    await member.move(random.pick(endpoints));
  }
}

async function carryOut(options: RoundOptions, room: string, user: string): Promise<Omit<DoneAct, 'untilTs'>> {
  const { act, owners, endpoints, random, adminToken } = options;
  if (act === 'revoke') {
    const path = `/admin/users/${encodeURIComponent(user)}/revoke`;
    const { status, body } = await call(random.pick(endpoints), path, { method: 'POST', token: adminToken, body: {} });
    const ackedAtMs = Date.now();
    if (status !== 200) throw new Error(`the revocation was answered ${status}: ${JSON.stringify(body)}`);
    return { name: act, target: user, seq: undefined, ackedAtMs };
  }
  const forMs = act === 'kick briefly' ? { forMs: BRIEF_KICK_MS } : {};
  let ackedAtMs = 0;
  const request = { room, user, clientMsgId: `act-${randomUUID()}`, ...forMs };
  const reply = await random.pick(owners).request(REQUESTS[act], request, () => {
    ackedAtMs = Date.now();
  });
  if (reply === 'cut' || !reply.ok) throw new Error(`${act}: ${JSON.stringify(reply)}`);
  const { seq } = reply.data as ActData;
  return { name: act, target: user, seq, ackedAtMs };
}

/** Sends a message after everything else. @returns its place */
async function sendLast(owner: WireClient, checker: RoomChecker, room: string, user: string): Promise<number> {
  const [clientMsgId, text] = [`last-${randomUUID()}`, 'last'];
  const attempt = checker.sent({ user, connection: 'owner', clientMsgId, text });
  const stored = await owner.ok('message:send', { room, clientMsgId, text });
  attempt.stored(stored);
  return stored.seq;
}

async function readAll(reader: WireClient, room: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let after = 0; ; ) {
    const page = await reader.ok('history:read', { room, after, limit: PAGE });
    entries.push(...page.messages);
    const last = page.messages.at(-1);
    if (!page.hasMore || last === undefined) return entries;
    after = last.seq;
  }
}

/** Checks that the history has exactly the requested acts. */
function checkActs(history: readonly Entry[], act: ActName, user: string): string[] {
  const acts = history.filter(({ type }) => type !== 'text' && type !== 'room.invite');
  if (act === 'revoke') return acts.length === 0 ? [] : ['I4: an act is in the history that was not sent'];
  const [only] = acts;
  const isRight = acts.length === 1 && only?.type === REQUESTS[act].replace(':', '.');
  return isRight && (only?.data as { user?: string } | undefined)?.user === user
    ? []
    : ['I4: the acts in the history are not those sent'];
}

/** The connections that stayed in the room received everything up to the act, or to the end. */
function checkSenders(act: Omit<DoneAct, 'untilTs'>, checker: RoomChecker, nodes: number, last: number): string[] {
  if (act.seq === undefined) return [];
  const due = hides(act.name) ? act.seq : last;
  return Array.from({ length: nodes }, (_, node) => `${act.target}, sender on ${node + 1}`).flatMap((name) => {
    const seq = checker.position(name)?.seq ?? 0;
    return seq === due ? [] : [`I2: ${name} ends at ${seq} and not at ${due}`];
  });
}
