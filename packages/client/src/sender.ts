/**
 * Sends the outbox over the current connection, in order, and reports the outcome of each message.
 */
import { type ErrorBody, MaruError } from '@maru/protocol/errors';
import type { Entry, MessageActEntries, Position } from '@maru/protocol/events';
import type { Request } from './ack.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents, OutgoingAct, OutgoingMessage, OutgoingState } from './events.ts';
import type { Outbox, OutboxItem } from './outbox.ts';
import * as outboxes from './outbox.ts';
import type { OutboxStore } from './outbox-store.ts';
import { type MessageAct, type NewMessage, type Outgoing, requestOf } from './outgoing.ts';
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
  /** The time since which the oldest waiting message waits. Null if none waits. */
  onWaiting: (sinceMs: number | null) => void;
}

const DELETED: ErrorBody = { code: 'not_found', message: 'the message was deleted', retryable: false };
const GIVEN_UP: ErrorBody = { code: 'unavailable', message: 'there was no connection for too long', retryable: true };

const isFailed = (item: OutboxItem) => item.progress.kind === 'failed';

const stateOf = (item: OutboxItem): OutgoingState =>
  item.progress.kind === 'failed' ? { kind: 'failed', error: item.progress.error } : { kind: 'sending' };

/** Null for an act. */
const messageOf = (item: OutboxItem, state: OutgoingState): OutgoingMessage | null => {
  if (item.content.type !== 'send') return null;
  const { type: _, ...message } = item.content;
  const { room, clientMsgId, queuedAtMs } = item;
  return { room, clientMsgId, ...message, queuedAtMs, state };
};

/** Null for a message. */
const actOf = ({ room, clientMsgId, content }: OutboxItem, state: OutgoingState): OutgoingAct | null =>
  content.type === 'send' ? null : { room, clientMsgId, act: content, state };

export class Sender {
  readonly #options: SenderOptions;
  #outbox: Outbox;
  #online = false;
  /** The number of the current connection. Answers of earlier connections are ignored. */
  #connection = 0;
  #closed = false;
  #cancelTimer = () => {};
  #stopTaking = () => {};

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#outbox = options.store.load();
    this.#stopTaking = options.store.watchLeft((left) => this.#take(left));
  }

  /** @throws MaruError `unavailable` if the outbox is full, or the device could not store it */
  send(room: string, message: NewMessage): OutgoingMessage {
    const { clientMsgId, queuedAtMs } = this.#enqueue(room, { type: 'send', ...message });
    return { room, clientMsgId, ...message, queuedAtMs, state: { kind: 'sending' } };
  }

  /** Like `send`. @throws MaruError */
  act(room: string, act: MessageAct): OutgoingAct {
    const { clientMsgId } = this.#enqueue(room, act);
    return { room, clientMsgId, act, state: { kind: 'sending' } };
  }

  #enqueue(room: string, content: Outgoing): { clientMsgId: string; queuedAtMs: number } {
    const { scheduler } = this.#options;
    const clientMsgId = newClientMsgId();
    const queuedAtMs = scheduler.wallNow();
    const next = outboxes.enqueue(this.#outbox, { room, clientMsgId, content, queuedAtMs, nowMs: scheduler.now() });
    const item = next?.at(-1);
    if (next === null || item === undefined) throw new MaruError('unavailable', 'too many messages wait to be sent');
    if (!this.#options.store.save(next)) throw new MaruError('unavailable', 'the device could not keep the message');
    this.#set(next);
    this.#emit(item, { kind: 'sending' });
    this.#sendDue();
    return { clientMsgId, queuedAtMs };
  }

  /**
   * Takes over the outbox that another client of the user left. The other place is emptied only
   * when all of it is saved here.
   */
  #take(left: Outbox): boolean {
    const before = this.#outbox;
    const next = outboxes.adopt(before, left);
    if (next === null || !this.#options.store.save(next)) return false;
    this.#set(next);
    for (const item of next.slice(before.length)) this.#emit(item, stateOf(item));
    this.#sendDue();
    return true;
  }

  retry(clientMsgId: string): void {
    const { scheduler } = this.#options;
    this.#update(outboxes.retry(this.#outbox, clientMsgId, scheduler.now(), scheduler.wallNow()));
    const item = outboxes.find(this.#outbox, clientMsgId);
    if (item?.progress.kind !== 'waiting') return;
    this.#emit(item, stateOf(item));
    this.#sendDue();
  }

  /** Removes a failed message. A message in flight cannot be cancelled. */
  discard(clientMsgId: string): void {
    const item = outboxes.find(this.#outbox, clientMsgId);
    if (item?.progress.kind !== 'failed') return;
    this.#update(outboxes.remove(this.#outbox, clientMsgId));
    this.#options.events.emit('discarded', { room: item.room, clientMsgId });
  }

  /** Waiting and failed messages, in order. */
  pending(): OutgoingMessage[] {
    return this.#outbox.flatMap((item) => messageOf(item, stateOf(item)) ?? []);
  }

  pendingActs(): OutgoingAct[] {
    return this.#outbox.flatMap((item) => actOf(item, stateOf(item)) ?? []);
  }

  onSession(): void {
    this.#online = true;
    this.#restart();
  }

  onLost(): void {
    this.#online = false;
    this.#restart();
  }

  /** The user is no longer in the room. A message in flight may still turn out to be stored. */
  endRoom(room: string, error: ErrorBody): void {
    const before = this.#outbox;
    this.#update(outboxes.failRoom(before, room, error));
    this.#emitNewlyFailed(before);
  }

  /** An own entry that arrives is stored, even if its acknowledgement never comes. */
  onEntries(room: string, entries: readonly Entry[], ownUserId: string): void {
    if (this.#outbox.length === 0) return;
    for (const { type, clientMsgId, from, epoch, seq, data } of entries) {
      if (clientMsgId !== undefined && from.id === ownUserId) this.#settle(clientMsgId, { epoch, seq });
      if (type === 'message.delete') this.#onDeleted(room, (data as MessageActEntries['message.delete']).seq);
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#stopTaking();
  }

  #restart(): void {
    this.#connection++;
    this.#update(outboxes.interrupt(this.#outbox, this.#options.scheduler.now()));
    this.#sendDue();
  }

  #update(next: Outbox): void {
    if (next === this.#outbox) return;
    this.#options.store.save(next);
    this.#set(next);
  }

  #set(next: Outbox): void {
    this.#outbox = next;
    this.#options.onWaiting(outboxes.waitsSince(next));
  }

  #emitNewlyFailed(before: Outbox): void {
    const failedBefore = new Set(before.filter(isFailed).map((item) => item.clientMsgId));
    for (const item of this.#outbox) {
      if (!isFailed(item) || failedBefore.has(item.clientMsgId)) continue;
      if (item.content.type !== 'send') this.#update(outboxes.remove(this.#outbox, item.clientMsgId));
      this.#emit(item, stateOf(item));
    }
  }

  #emit(item: OutboxItem, state: OutgoingState): void {
    const { events } = this.#options;
    const message = messageOf(item, state);
    const act = actOf(item, state);
    if (message !== null) events.emit('outgoing', message);
    if (act !== null) events.emit('act', act);
  }

  #onDeleted(room: string, seq: number): void {
    const before = this.#outbox;
    this.#update(outboxes.failEdits(before, room, seq, DELETED));
    if (this.#outbox === before) return;
    this.#emitNewlyFailed(before);
    this.#sendDue();
  }

  /** Sends the due messages, and sets the timer for the next one. */
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

  #transmit({ room, clientMsgId, content }: OutboxItem): void {
    const { request, scheduler, giveUpAfterMs } = this.#options;
    this.#update(outboxes.markInFlight(this.#outbox, clientMsgId));
    const connection = this.#connection;
    const { name, payload } = requestOf(room, clientMsgId, content);
    request(name, payload, (result) => {
      if (result.ok) {
        const { epoch, seq, duplicate } = result.data;
        return this.#settle(clientMsgId, { epoch, seq }, duplicate);
      }
      // The connection ended, so the outcome is unknown. The message is already queued for the next
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

  #settle(clientMsgId: string, position: Position, duplicate = false): void {
    const item = outboxes.find(this.#outbox, clientMsgId);
    if (item === undefined) return;
    this.#update(outboxes.remove(this.#outbox, clientMsgId));
    this.#emit(item, { kind: 'stored', position, ...(duplicate ? { duplicate } : {}) });
    this.#options.onStored(item.room, position);
    this.#sendDue();
  }
}
