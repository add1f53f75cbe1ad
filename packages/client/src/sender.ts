/**
 * Sends the outbox over the current connection, in order, and reports the outcome of each message.
 */
import { type ErrorBody, MaruError } from '@maru/protocol/errors';
import type { Entry, Position } from '@maru/protocol/events';
import type { Request } from './ack.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents, OutgoingMessage, OutgoingState } from './events.ts';
import type { Outbox, OutboxItem } from './outbox.ts';
import * as outboxes from './outbox.ts';
import type { OutboxStore } from './outbox-store.ts';
import type { Scheduler } from './scheduler.ts';
import { newClientMsgId } from './text.ts';

export interface SenderOptions {
  request: Request;
  events: Pick<Emitter<ClientEvents>, 'emit'>;
  scheduler: Scheduler;
  store: OutboxStore;
  giveUpAfterMs: number | null;
  /** A message was stored at this position. Its entry may arrive later. */
  onStored: (room: string, position: Position) => void;
}

const GIVEN_UP: ErrorBody = { code: 'unavailable', message: 'there was no connection for too long', retryable: true };

const isFailed = (item: OutboxItem) => item.progress.kind === 'failed';

const stateOf = (item: OutboxItem): OutgoingState =>
  item.progress.kind === 'failed' ? { kind: 'failed', error: item.progress.error } : { kind: 'sending' };

const outgoing = ({ room, clientMsgId, text, queuedAtMs }: OutboxItem, state: OutgoingState): OutgoingMessage => ({
  room,
  clientMsgId,
  text,
  queuedAtMs,
  state,
});

export class Sender {
  readonly #options: SenderOptions;
  #outbox: Outbox;
  #online = false;
  /** The number of the current connection. Answers of earlier connections are ignored. */
  #connection = 0;
  #closed = false;
  #cancelTimer = () => {};

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#outbox = options.store.load();
  }

  /** @throws MaruError `unavailable` if the outbox is full. */
  send(room: string, text: string): OutgoingMessage {
    const { scheduler, events } = this.#options;
    const clientMsgId = newClientMsgId();
    const queuedAtMs = scheduler.wallNow();
    const next = outboxes.enqueue(this.#outbox, { room, clientMsgId, text, queuedAtMs, nowMs: scheduler.now() });
    if (next === null) throw new MaruError('unavailable', 'too many messages wait to be sent');
    this.#update(next);
    const message: OutgoingMessage = { room, clientMsgId, text, queuedAtMs, state: { kind: 'sending' } };
    events.emit('outgoing', message);
    this.#sendDue();
    return message;
  }

  retry(clientMsgId: string): void {
    const { scheduler } = this.#options;
    this.#update(outboxes.retry(this.#outbox, clientMsgId, scheduler.now(), scheduler.wallNow()));
    const item = outboxes.find(this.#outbox, clientMsgId);
    if (item?.progress.kind !== 'waiting') return;
    this.#options.events.emit('outgoing', outgoing(item, stateOf(item)));
    this.#sendDue();
  }

  /** Removes a failed message. A message in flight cannot be taken back. */
  discard(clientMsgId: string): void {
    if (outboxes.find(this.#outbox, clientMsgId)?.progress.kind === 'failed')
      this.#update(outboxes.remove(this.#outbox, clientMsgId));
  }

  /** Waiting and failed messages, in order. */
  pending(): OutgoingMessage[] {
    return this.#outbox.map((item) => outgoing(item, stateOf(item)));
  }

  onSession(): void {
    this.#online = true;
    this.#restart();
  }

  onLost(): void {
    this.#online = false;
    this.#restart();
  }

  /** The room has ended for this user. A message in flight may still turn out to be stored. */
  endRoom(room: string, error: ErrorBody): void {
    const before = this.#outbox;
    this.#update(outboxes.failRoom(before, room, error));
    this.#emitNewlyFailed(before);
  }

  /** An own entry that arrives is stored, even if the acknowledgement never comes. */
  onEntries(entries: readonly Entry[], ownUserId: string | null): void {
    if (ownUserId === null || this.#outbox.length === 0) return;
    for (const { clientMsgId, from, epoch, seq } of entries) {
      if (clientMsgId !== undefined && from.id === ownUserId) this.#settle(clientMsgId, { epoch, seq });
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  #restart(): void {
    this.#connection++;
    this.#update(outboxes.interrupt(this.#outbox, this.#options.scheduler.now()));
    this.#sendDue();
  }

  #update(next: Outbox): void {
    if (next === this.#outbox) return;
    this.#outbox = next;
    this.#options.store.save(next);
  }

  #emitNewlyFailed(before: Outbox): void {
    const failedBefore = new Set(before.filter(isFailed).map((item) => item.clientMsgId));
    for (const item of this.#outbox) {
      if (isFailed(item) && !failedBefore.has(item.clientMsgId))
        this.#options.events.emit('outgoing', outgoing(item, stateOf(item)));
    }
  }

  /** Sends the messages that are due, and sets the timer for the next one. */
  #sendDue(): void {
    const { scheduler, giveUpAfterMs } = this.#options;
    this.#cancelTimer();
    if (this.#closed) return;
    const now = scheduler.now();
    const before = this.#outbox;
    this.#update(outboxes.expire(before, now, giveUpAfterMs, GIVEN_UP));
    this.#emitNewlyFailed(before);
    let nextAtMs: number | null = null;
    if (this.#online) {
      const { due, nextAtMs: next } = outboxes.dueSends(this.#outbox, now);
      nextAtMs = next;
      for (const item of due) this.#transmit(item);
    }
    const oldest = this.#outbox.find((item) => item.progress.kind === 'waiting');
    if (giveUpAfterMs !== null && oldest !== undefined) {
      nextAtMs = Math.min(nextAtMs ?? Number.POSITIVE_INFINITY, oldest.waitsSinceMs + giveUpAfterMs);
    }
    if (nextAtMs !== null) this.#cancelTimer = scheduler.after(Math.max(1, nextAtMs - now), () => this.#sendDue());
  }

  #transmit({ room, clientMsgId, text }: OutboxItem): void {
    const { request, scheduler, giveUpAfterMs } = this.#options;
    this.#update(outboxes.markInFlight(this.#outbox, clientMsgId));
    const connection = this.#connection;
    request('message:send', { room, clientMsgId, text }, (result) => {
      if (result.ok) return this.#settle(clientMsgId, { epoch: result.data.epoch, seq: result.data.seq });
      // The connection ended, so the outcome is unknown. The message already waits for the next
      // connection.
      if (connection !== this.#connection) return;
      const before = this.#outbox;
      const error = result.error.toBody();
      const times = { nowMs: scheduler.now(), random: scheduler.random(), giveUpAfterMs };
      this.#update(outboxes.refuse(before, clientMsgId, { error, ...times }));
      this.#emitNewlyFailed(before);
      this.#sendDue();
    });
  }

  #settle(clientMsgId: string, position: Position): void {
    const item = outboxes.find(this.#outbox, clientMsgId);
    if (item === undefined) return;
    this.#update(outboxes.remove(this.#outbox, clientMsgId));
    this.#options.events.emit('outgoing', outgoing(item, { kind: 'stored', position }));
    this.#options.onStored(item.room, position);
    this.#sendDue();
  }
}
