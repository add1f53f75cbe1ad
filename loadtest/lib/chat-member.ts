/**
 * One client of a run: it connects, joins its rooms, sends and acts at its pace, drops its
 * connection according to the scenario, and checks everything at the end. It does not know k6 or
 * thresholds.
 */

import type { Runtime } from '@maru/testkit/client/runtime';
import type { ClientReport, ClientVerdict } from '@maru/testkit/client/verdict';
import { CarefulClient } from '../../packages/testkit/src/client/careful-client.ts';
import { pause } from '../../packages/testkit/src/client/runtime.ts';
import { actOnce } from './acts.ts';
import { type Group, nextSendMs, phaseAt, type Schedule } from './shapes.ts';
import { composeText } from './texts.ts';

export interface MemberOptions {
  url: string;
  token: string;
  /** Unique for the run and for the member. The member's name begins with the run's. */
  run: string;
  name: string;
  rooms: readonly string[];
  schedule: Schedule;
  /** The group whose pace it keeps. It sends to its rooms in turn. */
  group: Group;
  /** When it drops its connection, and how long it stays away. */
  absences: ReadonlyArray<{ atMs: number; forMs: number }>;
  /** The share of acts, from 0 to 1. */
  actsShare: number;
  /** Called before each send; false ends the sending. */
  maySend(nowMs: number): boolean;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  runtime: Runtime;
  report: ClientReport;
}

/** A member that is behind its plan catches up by at most this much. */
const BEHIND_MS_MAX = 1_000;
/** A long run is audited in steps, which bounds its memory. */
const AUDIT_EVERY_MS = 60_000;
/**
 * Reading the history is also load, so members start it spread over this part of the settle time.
 */
const CHECK_SPREAD = 0.3;

/** Runs one member and returns its verdict. It throws for no fault of the cluster. */
export async function runMember(options: MemberOptions): Promise<ClientVerdict> {
  const { runtime, schedule } = options;
  const { settledByMs, sendUntilMs } = schedule;
  const client = new CarefulClient({ ...options, settledByMs, conversations: options.actsShare > 0 });
  if (await client.ready()) {
    for (const room of options.rooms) await client.join(room, sendUntilMs);
    for (const { atMs, forMs } of options.absences)
      runtime.setTimeout(() => client.drop(forMs), Math.max(0, atMs - runtime.now()));
    const auditing = auditInSteps(client, options);
    await sendUntilDone(client, options);
    await auditing;
  }
  await pause(runtime, Math.random() * CHECK_SPREAD * (settledByMs - sendUntilMs));
  const verdict = await client.check(options.rooms);
  client.close();
  return verdict;
}

async function sendUntilDone(client: CarefulClient, options: MemberOptions): Promise<void> {
  const { runtime, schedule, group } = options;
  const { rooms } = client;
  const open = new Set<Promise<void>>();
  let quietFromMs = schedule.sendUntilMs;
  let plannedMs = schedule.sendFromMs;
  for (let number = 0; rooms.length > 0; number++) {
    const dueMs = nextSendMs(schedule, group, plannedMs, Math.random);
    if (dueMs === undefined) break;
    plannedMs = Math.max(dueMs, runtime.now() - BEHIND_MS_MAX);
    await pause(runtime, plannedMs - runtime.now());
    if (!(await client.ready())) break;
    if (!options.maySend(runtime.now())) {
      // Other members notice it within the next phase. After that phase no member sends.
      quietFromMs = schedule.phases[phaseAt(schedule, runtime.now()) + 1]?.untilMs ?? quietFromMs;
      break;
    }
    const room = rooms[number % rooms.length] ?? '';
    const compose = (nowMs: number) => composeText(number, nowMs);
    const isAct = Math.random() < options.actsShare;
    const sent = isAct ? actOnce(client, room, number, compose) : client.send(room, number, compose);
    const sending = sent.finally(() => open.delete(sending));
    open.add(sending);
  }
  await Promise.all(open);
  await pause(runtime, quietFromMs - runtime.now());
}

async function auditInSteps(client: CarefulClient, { runtime, schedule }: MemberOptions): Promise<void> {
  // The random start spreads the audits of all members.
  let dueMs = schedule.sendFromMs + AUDIT_EVERY_MS * (0.5 + Math.random() / 2);
  for (; dueMs < schedule.sendUntilMs; dueMs += AUDIT_EVERY_MS) {
    await pause(runtime, dueMs - runtime.now());
    await client.auditSoFar();
  }
}
