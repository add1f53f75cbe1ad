/**
 * The careful test client. It joins rooms, sends, reconnects and resumes. It records what it
 * received, and checks everything against the history, over all its connections. It reports facts.
 * Its caller decides when to send and what counts as a failure. It runs on Node and in k6.
 */
import type { Entry, RoomEvent, SessionData } from '@maru/protocol/events';
import type { Content } from '../checker/content.ts';
import { type AuditCounts, auditMember, NO_FAULTS } from '../checker/member-audit.ts';
import { MemberLog } from '../checker/member-log.ts';
import { SendLog } from '../checker/send-log.ts';
import type { AnswerOf } from './connection.ts';
import { type ActRequest, Conversation, NO_CONVERSATION_FAULTS } from './conversation.ts';
import { type Delivery, deliver } from './delivery.ts';
import { compareWithReads, type Reading, readHistory, settle } from './history.ts';
import { ResumeWatch } from './resume-watch.ts';
import { ResumingClient } from './resuming-client.ts';
import { pause } from './runtime.ts';
import type { CarefulClientOptions, ClientVerdict, RoomVerdict } from './verdict.ts';

interface RoomState {
  room: string;
  log: MemberLog;
  sends: SendLog;
  counts: AuditCounts;
  conversation: Conversation | undefined;
}

const ARRIVAL_CHECK_MS = 100;
const RETRY_MS = 250;
/** Time for reading the history after `settledByMs`. The trial does not include it. */
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

  /** Undefined before the first session. */
  get userId(): string | undefined {
    return this.#user?.id;
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

  /** Joins a room. Retries until `untilMs` unless the server refuses permanently. */
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

  /** The client's knowledge of a joined room. */
  conversation(room: string): Conversation | undefined {
    return this.#rooms.get(room)?.conversation;
  }

  /**
   * Sends one message to a joined room. Retries with the same `clientMsgId` until it is
   * acknowledged, refused permanently, or too late.
   */
  async send(
    room: string,
    number: number,
    compose: (nowMs: number) => string,
    more: { thread?: number; mentions?: string[] } = {},
  ): Promise<void> {
    const { runtime, report } = this.#options;
    if (!this.#rooms.has(room)) return;
    const sentAtMs = runtime.now();
    const content = { text: compose(sentAtMs), ...more };
    report.sent(sentAtMs);
    await this.#deliver(room, number, content, 'message:send', content, (tookMs) =>
      report.acknowledged(sentAtMs, tookMs),
    );
  }

  /** An act, with retries like a message. `number`: must differ from those of messages. */
  async act(room: string, number: number, { event, data }: ActRequest): Promise<void> {
    const content = { act: { type: event.replace(':', '.'), data } } as Content;
    const onFirstAnswer = (tookMs: number) => this.#options.report.acted?.(event, tookMs);
    const code = await this.#deliver(room, number, content, event, data, onFirstAnswer);
    if (code === 'not_found') this.conversation(room)?.actRefused(data.seq);
  }

  /** Moves the read position to the newest entry. A failed request is not repeated. */
  async read(room: string): Promise<void> {
    const { report } = this.#options;
    const conversation = this.conversation(room);
    if (conversation === undefined) return;
    const seq = conversation.asksRead();
    await this.#client.request('room:read', { room, seq }, (answer) => {
      if (!answer.ok) return;
      conversation.readAnswered(answer.data, seq);
      report.acted?.('room:read', answer.tookMs);
    });
  }

  /** Compares all rooms with their history, then forgets the compared part to bound the memory. */
  async auditSoFar(): Promise<void> {
    for (const state of this.#rooms.values()) {
      const until = state.log.position().seq;
      if ((await this.#audit(state, until)) === undefined) continue;
      state.log.forget(until);
      state.sends.forget(until);
    }
  }

  /** Waits until the rooms are quiet and checks them. `rooms`: those that it should have joined. */
  async check(rooms: readonly string[]): Promise<ClientVerdict> {
    const verdicts: RoomVerdict[] = [];
    for (const state of this.#rooms.values()) {
      const verdict = await this.#checkRoom(state);
      if (verdict !== undefined) verdicts.push(verdict);
    }
    const complete = verdicts.length === rooms.length && !this.#resumes.lostRoom;
    const differences = [...this.#rooms].flatMap(([room, { conversation }]) =>
      (conversation?.differences ?? []).map((what) => `${room}: ${what}`),
    );
    return { rooms: verdicts, strays: this.#strays, complete, differences };
  }

  async #deliver(
    room: string,
    number: number,
    content: Content,
    event: 'message:send' | ActRequest['event'],
    data: object,
    onFirstAnswer: (tookMs: number) => void,
  ): Promise<string | undefined> {
    const { runtime, report, settledByMs, name } = this.#options;
    const sends = this.#rooms.get(room)?.sends;
    if (sends === undefined) return undefined;
    const clientMsgId = `${name}-${number}`;
    return deliver({
      client: this.#client,
      runtime,
      event,
      payload: { ...data, room, clientMsgId } as Delivery['payload'],
      send: sends.add(clientMsgId, content, this.#client.connection),
      untilMs: settledByMs,
      onFailure: (code) => report.requestFailed(event, code),
      onFirstAnswer,
    });
  }

  #logs(): Map<string, MemberLog> {
    return new Map([...this.#rooms.values()].map(({ room, log }) => [room, log]));
  }

  #onSession(data: SessionData, startedAtMs: number): void {
    this.#user = data.user;
    const nowMs = this.#options.runtime.now();
    this.#options.report.opened(nowMs - startedAtMs);
    if (this.#rooms.size === 0) return;
    this.#resumes.begin({ logs: this.#logs(), rooms: data.rooms, startedAtMs, nowMs });
    for (const { log, conversation } of this.#rooms.values()) {
      const { epoch, seq } = log.position();
      if (conversation?.view.position !== seq) conversation?.reset(epoch, seq);
    }
  }

  #onEntry(entry: Entry, receivedAtMs: number): void {
    const state = this.#rooms.get(entry.room);
    if (state === undefined) {
      this.#strays++;
      return;
    }
    const arrival = state.log.record(entry);
    state.conversation?.received(entry, arrival);
    this.#options.report.received(entry, receivedAtMs);
    this.#resumes.arrived(entry.room, state.log.position().seq, receivedAtMs);
  }

  #onRoomEvent(event: RoomEvent): void {
    if (event.type !== 'epoch') return;
    const state = this.#rooms.get(event.room);
    state?.log.epochChanged(event.epoch, event.head);
    state?.conversation?.reset(event.epoch, state.log.position().seq);
  }

  /** @returns false if the page does not end at the head, where live entries begin */
  #onJoined(room: string, data: (AnswerOf<'room:join'> & { ok: true })['data']): boolean {
    const { epoch, head, messages } = data;
    if (!messages.every((entry, index) => entry.seq === head - messages.length + 1 + index)) return false;
    const log = new MemberLog({ epoch, head });
    const isKept = this.#options.conversations === true && this.#user !== undefined;
    const conversation = isKept ? new Conversation(this.#user?.id ?? '', data) : undefined;
    this.#rooms.set(room, { room, log, sends: new SendLog(), counts: { ...NO_FAULTS }, conversation });
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
    const untilMs = settledByMs + READING_MS_MAX;
    const { room, log, sends } = state;
    await settle({ ...this.#readingOf(room), log });
    const audited = await this.#audit(state, Number.MAX_SAFE_INTEGER);
    if (audited === undefined) return undefined;
    // The history may return an entry before it is delivered. Delivery gets the same time as usual.
    while (log.violations(audited.head).missing > 0 && runtime.now() < settledByMs)
      await pause(runtime, ARRIVAL_CHECK_MS);
    const violations = log.violations(audited.head);
    const { conversation } = state;
    // The log has counted the missing entries.
    if (
      conversation !== undefined &&
      violations.missing === 0 &&
      !(await compareWithReads({ ...this.#readingOf(room), untilMs, conversation }))
    )
      return undefined;
    return {
      room,
      delivered: log.delivered(),
      ...violations,
      ...state.counts,
      ...(conversation?.finish() ?? NO_CONVERSATION_FAULTS),
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
