/**
 * The careful test client: it joins rooms, sends, reconnects and resumes, remembers what it
 * received, and checks all of it against the history, over all its connections. It reports facts;
 * its caller decides when to send and what counts as a failure. It runs on Node and in k6.
 */
import type { Entry, RoomEvent, SessionData } from '@maru/protocol/events';
import { type AuditCounts, auditMember, NO_FAULTS } from '../checker/member-audit.ts';
import { MemberLog, type Violations } from '../checker/member-log.ts';
import { SendLog } from '../checker/send-log.ts';
import type { AnswerOf, Ending } from './connection.ts';
import { type Reading, readHistory, settle } from './history.ts';
import { ResumeWatch } from './resume-watch.ts';
import { ResumingClient } from './resuming-client.ts';
import { pause, type Runtime } from './runtime.ts';

/** Called as things happen. The calls must be cheap and must not throw. */
export interface ClientReport {
  opened(tookMs: number): void;
  /** The client has everything that it missed, `tookMs` after it began to reconnect. */
  resumed(tookMs: number): void;
  /** The server declared a gap in a resumed room. */
  notRecovered(reason: string): void;
  connectionFailed(ending: Ending): void;
  requestFailed(event: string, code: string): void;
  sent(atMs: number): void;
  /** Not called for a message that had to be sent again. */
  acknowledged(sentAtMs: number, tookMs: number): void;
  received(entry: Entry, receivedAtMs: number): void;
}

export interface RoomVerdict extends Violations, AuditCounts {
  room: string;
  delivered: number;
  sendsSwapped: number;
  /** Sends that were neither acknowledged nor refused for good. */
  unresolved: number;
}

export interface ClientVerdict {
  /** One for each room that could be checked. */
  rooms: RoomVerdict[];
  /** Entries of rooms that the client had not joined. */
  strays: number;
  /** The client joined and resumed all rooms, and checked them. */
  complete: boolean;
}

export interface CarefulClientOptions {
  url: string;
  token: string;
  /** Unique for a run; all its `clientMsgId`s begin with it. */
  run: string;
  /** Unique for a client of the run; begins with `run`. */
  name: string;
  runtime: Runtime;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  /** The client must have everything by then. It does not reconnect or send later. */
  settledByMs: number;
  report: ClientReport;
}

interface RoomState {
  room: string;
  log: MemberLog;
  sends: SendLog;
  counts: AuditCounts;
}

const ARRIVAL_CHECK_MS = 100;
const RETRY_MS = 250;
/**
 * Reading the history is part of the check, not of the trial. It may end this long after
 * `settledByMs`.
 */
const READING_MS_MAX = 15_000;

export class CarefulClient {
  readonly #options: CarefulClientOptions;
  readonly #client: ResumingClient;
  readonly #rooms = new Map<string, RoomState>();
  readonly #resumes: ResumeWatch;
  #user: SessionData['user'] | undefined;
  #strays = 0;

  constructor(options: CarefulClientOptions) {
    this.#options = options;
    this.#resumes = new ResumeWatch(options.report);
    this.#client = new ResumingClient({
      ...options,
      untilMs: options.settledByMs,
      positions: () => Object.fromEntries([...this.#logs()].map(([room, log]) => [room, log.position()])),
      onSession: (data, startedAtMs) => this.#onSession(data, startedAtMs),
      onEntry: (entry, receivedAtMs) => this.#onEntry(entry, receivedAtMs),
      onRoomEvent: (event) => this.#onRoomEvent(event),
      onFailure: (ending) => options.report.connectionFailed(ending),
    });
  }

  /** The rooms that the client has joined. */
  get rooms(): string[] {
    return [...this.#rooms.keys()];
  }

  /** @returns false if the client will not be connected again */
  ready(): Promise<boolean> {
    return this.#client.ready();
  }

  /** Drops the connection and reconnects after `awayMs`. */
  drop(awayMs: number): void {
    this.#client.drop(awayMs);
  }

  close(): void {
    this.#client.close();
  }

  /** Joins a room. Retries until `untilMs` unless the server refuses for good. */
  async join(room: string, untilMs: number): Promise<void> {
    const { runtime, report } = this.#options;
    while (!this.#rooms.has(room) && runtime.now() < untilMs && (await this.ready())) {
      let refused = false;
      await this.#client.request('room:join', { room }, (answer) => {
        if (answer.ok) {
          if (!this.#onJoined(room, answer.data)) report.requestFailed('room:join', 'page_with_holes');
          return;
        }
        refused = !answer.error.retryable;
        if (answer.error.code !== 'gone') report.requestFailed('room:join', answer.error.code);
      });
      if (this.#rooms.has(room) || refused) return;
      await pause(runtime, RETRY_MS);
    }
  }

  /**
   * Sends one message to a joined room. Retries with the same `clientMsgId` until it is
   * acknowledged, refused for good, or too late.
   */
  async send(room: string, number: number, compose: (nowMs: number) => string): Promise<void> {
    const { runtime, report } = this.#options;
    const sends = this.#rooms.get(room)?.sends;
    if (sends === undefined) return;
    const clientMsgId = `${this.#options.name}-${number}`;
    const firstSentAtMs = runtime.now();
    const send = sends.add(clientMsgId, compose(firstSentAtMs), this.#client.connection);
    report.sent(firstSentAtMs);
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#client.request('message:send', { room, clientMsgId, text: send.text });
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
      if (runtime.now() + waitMs >= this.#options.settledByMs) return;
      await pause(runtime, waitMs);
      if (!(await this.ready())) return;
    }
  }

  /**
   * Compares all rooms with their history up to their positions, then forgets what was compared. It
   * bounds the memory of a long run.
   */
  async auditSoFar(): Promise<void> {
    for (const state of this.#rooms.values()) {
      const until = state.log.position().seq;
      if ((await this.#audit(state, until)) === undefined) continue;
      state.log.forget(until);
      state.sends.forget(until);
    }
  }

  /** Waits until the rooms are quiet and checks them. `rooms`: all that the client had to join. */
  async check(rooms: readonly string[]): Promise<ClientVerdict> {
    const verdicts: RoomVerdict[] = [];
    for (const state of this.#rooms.values()) {
      const verdict = await this.#checkRoom(state);
      if (verdict !== undefined) verdicts.push(verdict);
    }
    const complete = verdicts.length === rooms.length && !this.#resumes.lostRoom;
    return { rooms: verdicts, strays: this.#strays, complete };
  }

  #logs(): Map<string, MemberLog> {
    return new Map([...this.#rooms.values()].map(({ room, log }) => [room, log]));
  }

  #onSession(data: SessionData, startedAtMs: number): void {
    this.#user = data.user;
    const nowMs = this.#options.runtime.now();
    this.#options.report.opened(nowMs - startedAtMs);
    if (this.#rooms.size > 0) this.#resumes.begin({ logs: this.#logs(), rooms: data.rooms, startedAtMs, nowMs });
  }

  #onEntry(entry: Entry, receivedAtMs: number): void {
    const state = this.#rooms.get(entry.room);
    if (state === undefined) {
      this.#strays++;
      return;
    }
    state.log.record(entry);
    this.#options.report.received(entry, receivedAtMs);
    this.#resumes.arrived(entry.room, state.log.position().seq, receivedAtMs);
  }

  #onRoomEvent(event: RoomEvent): void {
    if (event.type === 'epoch') this.#rooms.get(event.room)?.log.epochChanged(event.epoch, event.head);
  }

  /** @returns false if the page does not end at the head, where live entries begin */
  #onJoined(room: string, data: (AnswerOf<'room:join'> & { ok: true })['data']): boolean {
    const { epoch, head, messages } = data;
    if (!messages.every((entry, index) => entry.seq === head - messages.length + 1 + index)) return false;
    const log = new MemberLog({ epoch, head });
    this.#rooms.set(room, { room, log, sends: new SendLog(), counts: { ...NO_FAULTS } });
    return true;
  }

  /**
   * Adds the faults up to `until` to the counts. @returns the head, or undefined if the history
   * could not be read
   */
  async #audit(state: RoomState, until: number): Promise<{ head: number } | undefined> {
    const { room, log, sends, counts } = state;
    const seen = log.position().seq;
    const untilMs = this.#options.settledByMs + READING_MS_MAX;
    const tail = await readHistory({ ...this.#readingOf(room), untilMs, after: log.auditAfter(), enough: until });
    // If the epoch changed, the next audit compares.
    if (tail === undefined || tail.epoch !== log.position().epoch) return undefined;
    const found = auditMember({
      log,
      seen,
      run: this.#options.run,
      member: `${this.#options.name}-`,
      userId: this.#user?.id ?? '',
      sends: sends.sends,
      history: tail.messages,
      first: tail.first,
      until,
    });
    for (const [what, count] of Object.entries(found)) counts[what as keyof AuditCounts] += count;
    return { head: tail.messages.at(-1)?.seq ?? log.auditAfter() };
  }

  async #checkRoom(state: RoomState): Promise<RoomVerdict | undefined> {
    const { runtime, settledByMs } = this.#options;
    const { room, log, sends } = state;
    await settle({ ...this.#readingOf(room), log });
    const audited = await this.#audit(state, Number.MAX_SAFE_INTEGER);
    if (audited === undefined) return undefined;
    // The history may return an entry before it is delivered. Delivery has the same time as always.
    while (log.violations(audited.head).missing > 0 && runtime.now() < settledByMs)
      await pause(runtime, ARRIVAL_CHECK_MS);
    return {
      room,
      delivered: log.delivered(),
      ...log.violations(audited.head),
      ...state.counts,
      sendsSwapped: sends.swapped(),
      unresolved: sends.unresolved(),
    };
  }

  #readingOf(room: string): Reading {
    const { runtime, settledByMs, report } = this.#options;
    const onError = (code: string) => report.requestFailed('history:read', code);
    return { client: this.#client, runtime, room, untilMs: settledByMs, onError };
  }
}

/** One line for a log; undefined if all is well. It has no tokens and texts. */
export function describeVerdict(name: string, verdict: ClientVerdict): string | undefined {
  const faults = verdict.rooms.flatMap(({ room, delivered: _, ...counts }) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${room} ${what}=${count}`),
  );
  if (verdict.strays > 0) faults.push(`strays=${verdict.strays}`);
  if (!verdict.complete) faults.push('not every room could be checked');
  return faults.length === 0 ? undefined : `${name}: ${faults.join(', ')}`;
}
