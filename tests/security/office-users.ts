/**
 * The quiet users of the office: cheap connections that count every entry and measure every answer.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Entry, Position, ResumedRoom } from '@maru/protocol';
import { WireClient } from './wire-client.ts';

/** The measurements of a phase, in milliseconds. */
export interface Phase {
  name: string;
  deliveryMs: number[];
  ackMs: number[];
}

export interface OfficeLog {
  violations: string[];
  refused: number;
  /** Connections that the server ended, or refused. */
  lost: number;
  reconnects: number;
  acknowledged: Array<{ room: string; clientMsgId: string; seq: number }>;
  phase: Phase;
}

const VIOLATIONS_MAX = 50;

export class OfficeUser {
  readonly room: string;
  readonly user: string;
  position: Position | undefined;
  #client: WireClient | undefined;
  #leaving = false;
  readonly #options: { endpoint: string; token: string; log: OfficeLog; sentAtMs: Map<string, number> };

  /** @param options.sentAtMs when each message was sent, of all users of this process */
  constructor(
    user: string,
    room: string,
    options: { endpoint: string; token: string; log: OfficeLog; sentAtMs: Map<string, number> },
  ) {
    this.user = user;
    this.room = room;
    this.#options = options;
  }

  async enter(): Promise<void> {
    const client = this.#connect();
    await client.ready;
    const reply = await client.request('room:join', { room: this.room, limit: 1 }, (answer) => {
      if (answer !== 'cut' && answer.ok) this.position = { epoch: answer.data.epoch, seq: answer.data.head };
    });
    if (reply === 'cut' || !reply.ok) throw new Error(`${this.user} could not join: ${JSON.stringify(reply)}`);
  }

  async send(): Promise<void> {
    const { log, sentAtMs } = this.#options;
    const clientMsgId = randomUUID();
    const { phase } = log;
    // While it reconnects, it cannot send.
    if (this.#client?.session === undefined) return;
    const startedAtMs = performance.now();
    sentAtMs.set(clientMsgId, startedAtMs);
    const reply = await this.#client.request('message:send', {
      room: this.room,
      clientMsgId,
      text: `hello, ${createHash('md5').update(clientMsgId).digest('hex')}`,
    });
    // The connection was lost or is being replaced, so the outcome is unknown.
    if (reply === 'cut') return;
    if (!reply.ok) {
      log.refused++;
      this.#report(`a message of ${this.user} was refused: ${reply.error.code}`);
      return;
    }
    phase.ackMs.push(performance.now() - startedAtMs);
    log.acknowledged.push({ room: this.room, clientMsgId, seq: reply.data.seq });
  }

  /** Simulates closing and opening the window: a new connection that resumes. */
  async comeBack(): Promise<void> {
    // It is already reconnecting.
    if (this.#client?.session === undefined) return;
    this.#leaving = true;
    this.#client.cut();
    this.#leaving = false;
    this.#options.log.reconnects++;
    const client = this.#connect();
    await client.ready.catch((error: Error) => this.#report(`${this.user} could not come back: ${error.message}`));
  }

  close(): void {
    this.#leaving = true;
    this.#client?.cut();
  }

  #connect(): WireClient {
    const { endpoint, token, log } = this.#options;
    const resume = this.position === undefined ? {} : { resume: { [this.room]: this.position } };
    const client = new WireClient(endpoint, {
      token,
      ...resume,
      onEvent: (name, payload) => this.#onEvent(name, payload),
      onEnd: (why) => {
        if (this.#leaving) return;
        log.lost++;
        this.#report(`${this.user} lost its connection: ${why}`);
      },
    });
    this.#client = client;
    return client;
  }

  #onEvent(name: string, payload: unknown): void {
    if (name === 'message') this.#onEntry(payload as Entry);
    if (name !== 'session' || this.position === undefined) return;
    const answer = (payload as { rooms: Record<string, ResumedRoom> }).rooms[this.room];
    if (answer === undefined || 'error' in answer || !answer.recovered)
      this.#report(`I2: ${this.user} could not resume: ${JSON.stringify(answer)}`);
  }

  #onEntry({ room, epoch, seq, clientMsgId }: Entry): void {
    if (room !== this.room) return;
    const { log, sentAtMs } = this.#options;
    const due = (this.position?.seq ?? 0) + 1;
    if (seq !== due || epoch !== this.position?.epoch) this.#report(`I2: ${this.user} got ${seq} and not ${due}`);
    this.position = { epoch, seq };
    // Messages of abusers come from another process.
    const sent = clientMsgId === undefined ? undefined : sentAtMs.get(clientMsgId);
    if (sent !== undefined) log.phase.deliveryMs.push(performance.now() - sent);
  }

  #report(violation: string): void {
    const { violations } = this.#options.log;
    if (violations.length < VIOLATIONS_MAX) violations.push(violation);
  }
}
