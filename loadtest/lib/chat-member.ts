/**
 * What one client of a run does: comes, joins its rooms, sends at its pace, waits until all is quiet, and is judged. It knows
 * neither k6 nor thresholds: it reports facts to whoever runs it.
 */
import { type AuditResult, audit, type Send } from './audit.ts';
import { type ChatSession, type Ending, OpenFailed, openChatSession, pause, type SessionHost } from './chat-session.ts';
import { readHistory, settle } from './history.ts';
import { createJournal, type Journal, type Violations } from './journal.ts';
import type { Schedule } from './shapes.ts';
import { composeText, sentAtMs } from './texts.ts';

/** Hears of everything as it happens. Calls are cheap and must not throw. */
export interface MemberReport {
  opened(tookMs: number): void;
  connectionFailed(ending: Ending): void;
  requestFailed(event: string, code: string): void;
  sent(): void;
  acknowledged(tookMs: number): void;
  /** `latencyMs` is undefined for an entry that no member of this run sent. */
  delivered(latencyMs: number | undefined): void;
}

export interface RoomVerdict extends Violations, AuditResult {
  room: string;
  delivered: number;
}

export interface MemberVerdict {
  /** One for each room that could be judged. */
  rooms: RoomVerdict[];
  /** Entries of rooms that this member had not joined, or not yet. */
  strays: number;
  /** Every room was joined and judged, and the connection held until then. */
  complete: boolean;
}

export interface MemberOptions {
  url: string;
  token: string;
  /** Unique per run and per member, of characters that a `clientMsgId` may have. The member's begins with the run's. */
  run: string;
  name: string;
  rooms: readonly string[];
  schedule: Schedule;
  /** The pause between two sends, in turn to each room. */
  sendEveryMs: number;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  host: SessionHost;
  report: MemberReport;
}

const ARRIVAL_CHECK_MS = 100;

interface RoomState {
  room: string;
  journal: Journal;
  sends: Map<string, Send>;
}

/** Runs one member to its verdict. It does not throw for anything that the cluster does. */
export async function runMember(options: MemberOptions): Promise<MemberVerdict> {
  const { host, report, schedule } = options;
  const states = new Map<string, RoomState>();
  let strays = 0;
  let leaving = false;

  const dialledAtMs = host.now();
  const session = await openChatSession({
    ...options,
    onEntry(entry, receivedAtMs) {
      const state = states.get(entry.room);
      if (state === undefined) {
        strays++;
        return;
      }
      state.journal.record(entry);
      const sent = sentAtMs(entry.text);
      report.delivered(sent === undefined ? undefined : Math.max(0, receivedAtMs - sent));
    },
    onRoomEvent(event) {
      if (event.type === 'epoch') states.get(event.room)?.journal.epochChanged(event.epoch, event.head);
    },
    onEnded(ending) {
      if (!leaving) report.connectionFailed(ending);
    },
  }).catch((error: unknown) => {
    if (!(error instanceof OpenFailed)) throw error;
    report.connectionFailed(error.ending);
    return undefined;
  });
  if (session === undefined) return { rooms: [], strays, complete: false };
  report.opened(host.now() - dialledAtMs);

  for (const room of options.rooms) {
    const state = await join(session, room);
    if (state === undefined) break;
  }
  await sendUntilDone(session);

  const rooms: RoomVerdict[] = [];
  for (const state of states.values()) {
    const verdict = await judge(session, state);
    if (verdict !== undefined) rooms.push(verdict);
  }
  const held = session.ending === undefined;
  leaving = true;
  session.close();
  return { rooms, strays, complete: held && rooms.length === options.rooms.length };

  async function join(joining: ChatSession, room: string): Promise<RoomState | undefined> {
    let state: RoomState | undefined;
    await joining.request('room:join', { room }, (answer) => {
      if (!answer.ok) return report.requestFailed('room:join', answer.error.code);
      const { epoch, head, messages } = answer.data;
      // The page must end where live entries begin, or the two together have a hole.
      const covered = messages.every((entry, index) => entry.seq === head - messages.length + 1 + index);
      if (!covered) return report.requestFailed('room:join', 'page_with_holes');
      state = { room, journal: createJournal({ epoch, head }), sends: new Map() };
      states.set(room, state);
    });
    return state;
  }

  async function sendUntilDone(sending: ChatSession): Promise<void> {
    const targets = [...states.values()];
    if (targets.length === 0) return;
    const open: Array<Promise<void>> = [];
    // Members begin at different moments of the first interval, so that they do not march in step.
    await pause(host, schedule.sendFromMs - host.now() + Math.random() * options.sendEveryMs);
    for (let n = 0; host.now() < schedule.sendUntilMs && sending.ending === undefined; n++) {
      const target = targets[n % targets.length];
      if (target !== undefined) open.push(sendOne(sending, target, n));
      await pause(host, options.sendEveryMs);
    }
    await Promise.all(open);
    await pause(host, schedule.sendUntilMs - host.now());
  }

  async function sendOne(sending: ChatSession, state: RoomState, n: number): Promise<void> {
    const clientMsgId = `${options.name}-${n}`;
    const send: Send = { text: composeText(n, host.now()), outcome: { state: 'unknown' } };
    state.sends.set(clientMsgId, send);
    report.sent();
    const answer = await sending.request('message:send', { room: state.room, clientMsgId, text: send.text });
    if (answer.ok) {
      send.outcome = { state: 'stored', seq: answer.data.seq };
      report.acknowledged(answer.tookMs);
    } else {
      if (!answer.error.retryable) send.outcome = { state: 'refused' };
      report.requestFailed('message:send', answer.error.code);
    }
  }

  async function judge(judging: ChatSession, state: RoomState): Promise<RoomVerdict | undefined> {
    // A connection that ended is one error, not one more for each room that can no longer be read.
    if (judging.ending !== undefined) return undefined;
    const { room, journal, sends } = state;
    const reading = {
      session: judging,
      host,
      room,
      journal,
      untilMs: schedule.settledByMs,
      onError: (code: string) => report.requestFailed('history:read', code),
    };
    await settle(reading);
    const seen = journal.position().seq;
    const tail = await readHistory({ ...reading, after: journal.auditAfter() });
    if (tail === undefined) return undefined;
    const head = tail.messages.at(-1)?.seq ?? journal.auditAfter();
    // An entry may be read before it arrives. It has as long as any other to do so.
    while (journal.violations(head).missing > 0 && host.now() < schedule.settledByMs && judging.ending === undefined)
      await pause(host, ARRIVAL_CHECK_MS);
    return {
      room,
      delivered: journal.delivered(),
      ...journal.violations(head),
      ...audit({
        journal,
        seen,
        run: options.run,
        member: `${options.name}-`,
        userId: judging.data.user.id,
        sends,
        history: tail.messages,
        first: tail.first,
      }),
    };
  }
}

/** One line for a log when something is wrong; undefined when all is well. Never a token or a text. */
export function describeVerdict(name: string, verdict: MemberVerdict): string | undefined {
  const faults = verdict.rooms.flatMap(({ room, delivered: _, ...counts }) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${room} ${what}=${count}`),
  );
  if (verdict.strays > 0) faults.push(`strays=${verdict.strays}`);
  if (!verdict.complete) faults.push('not judged in every room');
  return faults.length === 0 ? undefined : `${name}: ${faults.join(', ')}`;
}
