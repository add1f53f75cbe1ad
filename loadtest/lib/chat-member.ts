/**
 * What one client of a run does: comes, joins its rooms, sends at its pace, comes back when it was cut, waits until all is quiet, and is
 * judged over all its connections as one. It knows neither k6 nor thresholds: it reports facts to whoever runs it.
 */
import type { SessionData } from '@maru/protocol/events';
import { type AuditResult, audit } from './audit.ts';
import { openChatLink } from './chat-link.ts';
import { type Ending, pause, type SessionHost } from './chat-session.ts';
import { readHistory, settle } from './history.ts';
import { createJournal, type Journal, type Violations } from './journal.ts';
import { createResumeWatch } from './resume-watch.ts';
import { createSendLedger, type SendLedger } from './send-ledger.ts';
import { type Group, nextSendMs, phaseAt, type Schedule } from './shapes.ts';
import { composeText, sentAtMs } from './texts.ts';

/** Hears of everything as it happens. Calls are cheap and must not throw. */
export interface MemberReport {
  opened(tookMs: number): void;
  /** It was away, and has everything that it missed, `tookMs` after it dialled again. */
  resumed(tookMs: number): void;
  /** A resume left a hole, and said so. */
  notRecovered(reason: string): void;
  connectionFailed(ending: Ending): void;
  requestFailed(event: string, code: string): void;
  sent(atMs: number): void;
  /** Not told for a message that had to be sent again. */
  acknowledged(sentAtMs: number, tookMs: number): void;
  /** `sentAtMs` is undefined for an entry that no member of this run sent. */
  delivered(sentAtMs: number | undefined, receivedAtMs: number): void;
}

export interface RoomVerdict extends Violations, AuditResult {
  room: string;
  delivered: number;
  sendsSwapped: number;
  /** Sends that were neither acknowledged nor refused for good. */
  unresolved: number;
}

export interface MemberVerdict {
  /** One for each room that could be judged. */
  rooms: RoomVerdict[];
  /** Entries of rooms that this member had not joined, or not yet. */
  strays: number;
  /** Every room was joined, resumed each time, and judged. */
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
  /** Whose pace it keeps, in turn in each of its rooms. */
  group: Group;
  /** When it drops its connection, and for how long it stays away. */
  absences: ReadonlyArray<{ atMs: number; forMs: number }>;
  /** Asked before each send; false ends the sending for good. */
  goesOn(nowMs: number): boolean;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  host: SessionHost;
  report: MemberReport;
}

const ARRIVAL_CHECK_MS = 100;
const RETRY_MS = 250;
/** One who was held up sends at most so much of what it had planned at once. */
const BEHIND_MS_MAX = 1_000;
/** What came is compared with the history so often and then forgotten, which bounds the memory of a long run. */
const AUDIT_EVERY_MS = 60_000;

/** The part of the settling over which members begin to look whether all is quiet. */
const JUDGING_SPREAD = 0.3;
/** The history may be read for so long after everything had to be there: that is this side's work, and no promise of the cluster's. */
const READING_MS_MAX = 15_000;

interface RoomState {
  room: string;
  journal: Journal;
  ledger: SendLedger;
  audited: AuditResult;
}

/** Runs one member to its verdict. It does not throw for anything that the cluster does. */
export async function runMember(options: MemberOptions): Promise<MemberVerdict> {
  const { host, report, schedule } = options;
  const states = new Map<string, RoomState>();
  const watch = createResumeWatch(report);
  let user: SessionData['user'] | undefined;
  let strays = 0;

  const link = openChatLink({
    ...options,
    untilMs: schedule.settledByMs,
    positions: () => Object.fromEntries([...states.values()].map(({ room, journal }) => [room, journal.position()])),
    onSession(data, dialledAtMs) {
      user = data.user;
      report.opened(host.now() - dialledAtMs);
      if (states.size > 0) watch.begin({ journals: journals(), rooms: data.rooms, dialledAtMs, nowMs: host.now() });
    },
    onEntry(entry, receivedAtMs) {
      const state = states.get(entry.room);
      if (state === undefined) strays++;
      else {
        state.journal.record(entry);
        report.delivered(sentAtMs(entry.text), receivedAtMs);
        watch.arrived(entry.room, state.journal.position().seq, receivedAtMs);
      }
    },
    onRoomEvent(event) {
      if (event.type === 'epoch') states.get(event.room)?.journal.epochChanged(event.epoch, event.head);
    },
    onFailure: report.connectionFailed,
  });

  if (await link.ready()) {
    for (const room of options.rooms) await join(room);
    for (const { atMs, forMs } of options.absences)
      host.setTimeout(() => link.drop(forMs), Math.max(0, atMs - host.now()));
    const auditing = auditNowAndThen();
    await sendUntilDone();
    await auditing;
  }
  // Not all at once either: judging is reading, and reading is load.
  await pause(host, Math.random() * JUDGING_SPREAD * (schedule.settledByMs - schedule.sendUntilMs));
  const rooms: RoomVerdict[] = [];
  for (const state of states.values()) {
    const verdict = await judge(state);
    if (verdict !== undefined) rooms.push(verdict);
  }
  link.close();
  return { rooms, strays, complete: rooms.length === options.rooms.length && !watch.roomLost() };

  function journals(): Map<string, Journal> {
    return new Map([...states.values()].map(({ room, journal }) => [room, journal]));
  }

  async function join(room: string): Promise<void> {
    while (!states.has(room) && host.now() < schedule.sendUntilMs && (await link.ready())) {
      let mayTryAgain = true;
      await link.request('room:join', { room }, (answer) => {
        if (!answer.ok) {
          mayTryAgain = answer.error.retryable;
          if (answer.error.code !== 'gone') report.requestFailed('room:join', answer.error.code);
          return;
        }
        const { epoch, head, messages } = answer.data;
        // The page must end where live entries begin, or the two together have a hole.
        const covered = messages.every((entry, index) => entry.seq === head - messages.length + 1 + index);
        mayTryAgain = covered;
        if (!covered) return report.requestFailed('room:join', 'page_with_holes');
        states.set(room, {
          room,
          journal: createJournal({ epoch, head }),
          ledger: createSendLedger(),
          audited: { mismatched: 0, acknowledgedLost: 0, storedTwice: 0, invented: 0, historyHoles: 0 },
        });
      });
      if (states.has(room)) return;
      if (!mayTryAgain) return;
      await pause(host, RETRY_MS);
    }
  }

  async function sendUntilDone(): Promise<void> {
    const targets = [...states.values()];
    const open = new Set<Promise<void>>();
    let stoppedInPhase: number | undefined;
    let plannedMs = schedule.sendFromMs;
    for (let n = 0; targets.length > 0; n++) {
      const dueMs = nextSendMs(schedule, options.group, plannedMs, Math.random);
      if (dueMs === undefined) break;
      plannedMs = Math.max(dueMs, host.now() - BEHIND_MS_MAX);
      await pause(host, plannedMs - host.now());
      if (!(await link.ready())) break;
      if (!options.goesOn(host.now())) {
        stoppedInPhase = phaseAt(schedule, host.now());
        break;
      }
      const target = targets[n % targets.length];
      if (target === undefined) break;
      const sending = sendOne(target, n).finally(() => open.delete(sending));
      open.add(sending);
    }
    await Promise.all(open);
    // Others notice within the next phase, and then nobody sends.
    const quietFromMs = stoppedInPhase === undefined ? undefined : schedule.phases[stoppedInPhase + 1]?.untilMs;
    await pause(host, (quietFromMs ?? schedule.sendUntilMs) - host.now());
  }

  /** Sends one message, again with the same id where it has to, until it is acknowledged, refused for good, or too late. */
  async function sendOne({ room, ledger }: RoomState, n: number): Promise<void> {
    const clientMsgId = `${options.name}-${n}`;
    const firstSentAtMs = host.now();
    const { connection } = link;
    const send = ledger.add(clientMsgId, composeText(n, firstSentAtMs), connection);
    report.sent(firstSentAtMs);
    for (let attempt = 1; ; attempt++) {
      const answer = await link.request('message:send', { room, clientMsgId, text: send.text });
      if (answer.ok) {
        send.outcome = { state: 'stored', seq: answer.data.seq };
        if (attempt === 1) report.acknowledged(firstSentAtMs, answer.tookMs);
        return;
      }
      const { error } = answer;
      if (error.code !== 'gone') report.requestFailed('message:send', error.code);
      send.connection = undefined;
      if (!error.retryable) {
        send.outcome = { state: 'refused' };
        return;
      }
      const waitMs = 'retryAfterMs' in error ? (error.retryAfterMs ?? RETRY_MS) : RETRY_MS;
      if (host.now() + waitMs >= schedule.settledByMs) return;
      await pause(host, waitMs);
      if (!(await link.ready())) return;
    }
  }

  async function auditNowAndThen(): Promise<void> {
    // Not all members at the same moment.
    let dueMs = schedule.sendFromMs + AUDIT_EVERY_MS * (0.5 + Math.random() / 2);
    for (; dueMs < schedule.sendUntilMs; dueMs += AUDIT_EVERY_MS) {
      await pause(host, dueMs - host.now());
      for (const state of states.values()) {
        const until = state.journal.position().seq;
        if (!(await auditTo(state, until))) continue;
        state.journal.forget(until);
        state.ledger.forget(until);
      }
    }
  }

  /** Adds what the history says up to `until`. @returns the room's head, or undefined when the history could not be read */
  async function auditTo(state: RoomState, until: number): Promise<{ head: number } | undefined> {
    const { room, journal, ledger, audited } = state;
    const seen = journal.position();
    const untilMs = schedule.settledByMs + READING_MS_MAX;
    const tail = await readHistory({ ...readingOf(room), untilMs, after: journal.auditAfter(), enough: until });
    // A log that began anew on the way is judged the next time.
    if (tail === undefined || tail.epoch !== journal.position().epoch) return undefined;
    const found = audit({
      journal,
      seen: seen.seq,
      run: options.run,
      member: `${options.name}-`,
      userId: user?.id ?? '',
      sends: ledger.sends,
      history: tail.messages,
      first: tail.first,
      until,
    });
    for (const [what, count] of Object.entries(found)) audited[what as keyof AuditResult] += count;
    return { head: tail.messages.at(-1)?.seq ?? journal.auditAfter() };
  }

  async function judge(state: RoomState): Promise<RoomVerdict | undefined> {
    const { room, journal, ledger } = state;
    await settle({ ...readingOf(room), journal });
    const result = await auditTo(state, Number.MAX_SAFE_INTEGER);
    if (result === undefined) return undefined;
    // An entry may be read before it arrives. It has as long as any other to do so.
    while (journal.violations(result.head).missing > 0 && host.now() < schedule.settledByMs)
      await pause(host, ARRIVAL_CHECK_MS);
    return {
      room,
      delivered: journal.delivered(),
      ...journal.violations(result.head),
      ...state.audited,
      sendsSwapped: ledger.swapped(),
      unresolved: ledger.unresolved(),
    };
  }

  function readingOf(room: string) {
    const onError = (code: string) => report.requestFailed('history:read', code);
    return { link, host, room, untilMs: schedule.settledByMs, onError };
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
