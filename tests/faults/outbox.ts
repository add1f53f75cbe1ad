/**
 * The composed messages and acts of a member, and their delivery. Each keeps one id until it has an
 * outcome.
 */
import type { Ack, ClientRequests, Position, SendData } from '@maru/protocol';
import { sleep } from '../support/poll.ts';
import type { MemberRoom } from './member-room.ts';
import type { EntryRequest, Kind, Work } from './work.ts';

/** The outcome of one attempt. */
export interface Answer {
  member: string;
  kind: Kind;
  sentAtMs: number;
  tookMs: number;
  outcome: 'stored' | 'duplicate' | 'silent' | 'cut' | (string & {});
}

export type Reply<T> = Ack<T> | 'silent' | 'cut';

export interface OutboxOptions {
  user: string;
  rooms: ReadonlyMap<string, MemberRoom>;
  isReady(): boolean;
  /** The name of the current connection. */
  connection(): string;
  request(
    event: EntryRequest,
    payload: ClientRequests[EntryRequest][0],
    onAnswer: (ack: Ack<SendData>) => void,
  ): Promise<Reply<SendData>>;
  onAnswer(answer: Answer): void;
  onViolation(violation: string): void;
}

interface Queued {
  room: string;
  clientMsgId: string;
  work: Work;
  done: (place: Position | undefined) => void;
}

const RETRY_MS = 300;
const READY_CHECK_MS = 20;
const WINDOW = 4;
/**
 * A client composes nothing new while this many wait. Otherwise they would overload the end of an
 * outage.
 */
const WAITING_MAX = 6;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue: Queued[] = [];
  #composed = 0;
  #senders = 0;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Number of those without an outcome. */
  get pending(): number {
    return this.#queue.length + this.#senders;
  }

  /** The text of the next message. Each is different. */
  get nextText(): string {
    return `${this.#composed + 1} of ${this.#options.user}`;
  }

  /** See `Member.perform`. */
  perform(room: string, work: Work, must: boolean): Promise<Position | undefined> {
    if ((this.pending >= WAITING_MAX && !must) || this.#closed) return Promise.resolve(undefined);
    const clientMsgId = `${this.#options.user}-${++this.#composed}`;
    return new Promise((done) => {
      this.#queue.push({ room, clientMsgId, work, done });
      if (this.#senders < WINDOW) void this.#work();
    });
  }

  close(): void {
    this.#closed = true;
  }

  async #work(): Promise<void> {
    this.#senders++;
    for (let queued = this.#queue.shift(); queued !== undefined; queued = this.#queue.shift())
      queued.done(await this.#deliver(queued));
    this.#senders--;
  }

  async #deliver(queued: Queued): Promise<Position | undefined> {
    const { user, rooms, isReady, onViolation } = this.#options;
    const room = rooms.get(queued.room);
    while (!this.#closed && room !== undefined) {
      if (!isReady()) {
        await sleep(READY_CHECK_MS);
        continue;
      }
      const ack = await this.#attempt(queued, room);
      if (ack === 'silent' || ack === 'cut') continue;
      if (ack.ok) return { epoch: ack.data.epoch, seq: ack.data.seq };
      if (!ack.error.retryable) {
        const { code, message } = ack.error;
        // Only the checker knows whether its target was deleted.
        if (queued.work.kind === 'send' || queued.work.kind === 'mention')
          onViolation(`${user} had a message refused for good: ${code} ${message}`);
        return undefined;
      }
      await sleep(ack.error.retryAfterMs ?? RETRY_MS);
    }
    return undefined;
  }

  async #attempt({ room, clientMsgId, work }: Queued, { checker }: MemberRoom): Promise<Reply<SendData>> {
    const { kind, event, content } = work;
    const { user, request, onAnswer, connection } = this.#options;
    const result = checker.sent({ ...content, user, connection: connection(), clientMsgId });
    const sentAtMs = Date.now();
    const payload = { ...('act' in content ? content.act.data : content), room, clientMsgId };
    // An acknowledgement counts even after the timeout.
    const ack = await request(event, payload as ClientRequests[EntryRequest][0], (answer) => {
      if (answer.ok) result.stored(answer.data);
    });
    const report = (outcome: string) =>
      onAnswer({ member: user, kind, sentAtMs, tookMs: Date.now() - sentAtMs, outcome });
    if (ack === 'silent' || ack === 'cut') report(ack);
    else {
      if (!ack.ok) result.refused(ack.error.retryable ? undefined : ack.error.code);
      report(ack.ok ? (ack.data.duplicate ? 'duplicate' : 'stored') : ack.error.code);
    }
    return ack;
  }
}
