/** Empties the outbox over the present connection, in order, and tells what becomes of each message. */
import { type ErrorBody, MaruError } from '@maru/protocol/errors';
import type { Entry, Position } from '@maru/protocol/events';
import type { Request } from './ack.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents, OutgoingMessage, OutgoingState } from './events.ts';
import type { Outbox, OutboxItem } from './outbox.ts';
import * as outboxes from './outbox.ts';
import type { OutboxKeeper } from './outbox-keeper.ts';
import type { Scheduler } from './scheduler.ts';
import { newClientMsgId } from './text.ts';

export interface SenderOptions {
  request: Request;
  events: Pick<Emitter<ClientEvents>, 'emit'>;
  scheduler: Scheduler;
  keeper: OutboxKeeper;
  giveUpAfterMs: number | null;
}

export interface Sender {
  /** @throws MaruError `unavailable` when the outbox is full. */
  send(room: string, text: string): OutgoingMessage;
  retry(clientMsgId: string): void;
  /** Forgets a message that has failed. One that is under way cannot be taken back. */
  discard(clientMsgId: string): void;
  /** What waits or has failed, in order. */
  pending(): OutgoingMessage[];
  onSession(): void;
  onLost(): void;
  /** Entries that arrived, with the id of the user we are: an own one is stored, whether or not its answer ever comes. */
  onEntries(entries: readonly Entry[], ownUserId: string | null): void;
  close(): void;
}

const GIVEN_UP: ErrorBody = { code: 'unavailable', message: 'there was no connection for too long', retryable: true };

const stateOf = (item: OutboxItem): OutgoingState =>
  item.progress.kind === 'failed' ? { kind: 'failed', error: item.progress.error } : { kind: 'sending' };

const outgoing = ({ room, clientMsgId, text, queuedAtMs }: OutboxItem, state: OutgoingState): OutgoingMessage => ({
  room,
  clientMsgId,
  text,
  queuedAtMs,
  state,
});

export function createSender({ request, events, scheduler, keeper, giveUpAfterMs }: SenderOptions): Sender {
  let outbox: Outbox = keeper.load();
  let online = false;
  let connection = 0;
  let closed = false;
  let cancelTimer = () => {};

  const update = (next: Outbox) => {
    if (next === outbox) return;
    outbox = next;
    keeper.save(outbox);
  };

  const tellFailed = (before: Outbox) => {
    const wasFailed = new Set(before.filter((item) => item.progress.kind === 'failed').map((item) => item.clientMsgId));
    for (const item of outbox) {
      if (item.progress.kind === 'failed' && !wasFailed.has(item.clientMsgId))
        events.emit('outgoing', outgoing(item, stateOf(item)));
    }
  };

  /** Sends what is due, and sets the one timer to what is next. */
  const pump = () => {
    cancelTimer();
    if (closed) return;
    const now = scheduler.now();
    const before = outbox;
    update(outboxes.expire(outbox, now, giveUpAfterMs, GIVEN_UP));
    tellFailed(before);
    let nextAtMs: number | null = null;
    if (online) {
      const { due, nextAtMs: next } = outboxes.dueSends(outbox, now);
      nextAtMs = next;
      for (const item of due) transmit(item);
    }
    const oldest = outbox.find((item) => item.progress.kind === 'waiting');
    if (giveUpAfterMs !== null && oldest !== undefined) {
      nextAtMs = Math.min(nextAtMs ?? Number.POSITIVE_INFINITY, oldest.queuedAtMs + giveUpAfterMs);
    }
    if (nextAtMs !== null) cancelTimer = scheduler.after(Math.max(1, nextAtMs - now), pump);
  };

  const transmit = ({ room, clientMsgId, text }: OutboxItem) => {
    update(outboxes.markInFlight(outbox, clientMsgId));
    const of = connection;
    request('message:send', { room, clientMsgId, text }, (result) => {
      if (result.ok) return settle(clientMsgId, { epoch: result.data.epoch, seq: result.data.seq });
      // The end of a connection says nothing of the message: it already waits for the next one.
      if (of !== connection) return;
      const before = outbox;
      const error = result.error.toBody();
      const times = { nowMs: scheduler.now(), random: scheduler.random(), giveUpAfterMs };
      update(outboxes.refuse(outbox, clientMsgId, { error, ...times }));
      tellFailed(before);
      pump();
    });
  };

  const settle = (clientMsgId: string, position: Position) => {
    const item = outboxes.find(outbox, clientMsgId);
    if (item === undefined) return;
    update(outboxes.remove(outbox, clientMsgId));
    events.emit('outgoing', outgoing(item, { kind: 'stored', position }));
    pump();
  };

  return {
    send(room, text) {
      const clientMsgId = newClientMsgId();
      const next = outboxes.enqueue(outbox, { room, clientMsgId, text, nowMs: scheduler.now() });
      if (next === null) throw new MaruError('unavailable', 'too many messages wait to be sent');
      update(next);
      const message: OutgoingMessage = {
        room,
        clientMsgId,
        text,
        queuedAtMs: scheduler.now(),
        state: { kind: 'sending' },
      };
      events.emit('outgoing', message);
      pump();
      return message;
    },
    retry(clientMsgId) {
      update(outboxes.retry(outbox, clientMsgId, scheduler.now()));
      const item = outboxes.find(outbox, clientMsgId);
      if (item?.progress.kind !== 'waiting') return;
      events.emit('outgoing', outgoing(item, stateOf(item)));
      pump();
    },
    discard(clientMsgId) {
      if (outboxes.find(outbox, clientMsgId)?.progress.kind === 'failed') update(outboxes.remove(outbox, clientMsgId));
    },
    pending: () => outbox.map((item) => outgoing(item, stateOf(item))),
    onSession() {
      online = true;
      connection++;
      update(outboxes.interrupt(outbox, scheduler.now()));
      pump();
    },
    onLost() {
      online = false;
      connection++;
      update(outboxes.interrupt(outbox, scheduler.now()));
      pump();
    },
    onEntries(entries, ownUserId) {
      if (ownUserId === null || outbox.length === 0) return;
      for (const { clientMsgId, from, epoch, seq } of entries) {
        if (clientMsgId !== undefined && from.id === ownUserId) settle(clientMsgId, { epoch, seq });
      }
    },
    close() {
      closed = true;
      cancelTimer();
    },
  };
}
