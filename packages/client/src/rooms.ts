/** Runs the order machine of each wanted room: asks for what it wants to read, and tells what it delivers. */
import type { MaruError } from '@maru/protocol/errors';
import type { ClientRequests, Entry, Position, RoomEvent, SessionData } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import { errorOfBody, type Request } from './ack.ts';
import { backoffMs, REQUEST_BACKOFF } from './backoff.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents } from './events.ts';
import type { ClientLogger } from './logger.ts';
import { newRoom, type RoomEffect, type RoomInput, type RoomState, stepRoom } from './room.ts';
import type { Scheduler } from './scheduler.ts';

export interface RoomsOptions {
  request: Request;
  events: Pick<Emitter<ClientEvents>, 'emit'>;
  scheduler: Scheduler;
  logger: ClientLogger;
  /** The room is joined on the present connection: presence may be watched. Again after each reconnect. */
  onReady: (room: string) => void;
  /** The room is not wanted any more, because the server would not have it. */
  onGone: (room: string) => void;
  onEntries: (entries: readonly Entry[]) => void;
}

export interface Rooms {
  join(room: string, options: { limit: number }): void;
  leave(room: string): void;
  has(room: string): boolean;
  /** Of every wanted room that something was delivered of: what `auth.resume` carries. */
  positions(): Record<string, Position>;
  onSession(session: SessionData): void;
  onLost(): void;
  onMessage(entry: Entry): void;
  onRoomEvent(event: RoomEvent): void;
}

interface WantedRoom {
  readonly id: string;
  readonly limit: number;
  machine: RoomState;
  failedTries: number;
  cancelTimer: () => void;
}

export function createRooms({ request, events, scheduler, logger, onReady, onGone, onEntries }: RoomsOptions): Rooms {
  const wanted = new Map<string, WantedRoom>();
  let online = false;
  /** Counts connections, so that an answer of an earlier one is recognised. */
  let connection = 0;

  const feed = (room: WantedRoom, input: RoomInput) => {
    const step = stepRoom(room.machine, input);
    room.machine = step.state;
    for (const effect of step.effects) run(room, effect);
  };

  const run = (room: WantedRoom, effect: RoomEffect) => {
    // A listener may have left the room in the middle of a batch.
    if (wanted.get(room.id) !== room) return;
    switch (effect.do) {
      case 'deliver':
        onEntries(effect.entries);
        events.emit('entries', { room: room.id, entries: effect.entries });
        return;
      case 'gap':
        events.emit('gap', { room: room.id, reason: effect.reason, after: effect.after });
        return;
      case 'rollback':
        events.emit('rollback', { room: room.id, epoch: effect.epoch, head: effect.head });
        return;
      case 'read-after': {
        const { epoch, seq } = effect.position;
        // A read that brought nothing waits longer each time; the first one goes at once.
        const delayMs = effect.stalledReads === 0 ? 0 : pauseMs(effect.stalledReads);
        read(room, effect.readId, { room: room.id, after: seq, epoch, limit: LIMITS.pageEntriesMax }, delayMs);
        return;
      }
      case 'read-newest':
        read(room, effect.readId, { room: room.id, limit: room.limit }, 0);
        return;
    }
  };

  const pauseMs = (attempt: number, atLeastMs?: number) =>
    backoffMs({ attempt, random: scheduler.random(), bounds: REQUEST_BACKOFF, atLeastMs });

  /** A check that what was begun now is still wanted, on the same connection. */
  const freshness = (room: WantedRoom) => {
    const of = connection;
    return () => of === connection && wanted.get(room.id) === room;
  };

  const soon = (room: WantedRoom, delayMs: number, task: () => void) => {
    const isFresh = freshness(room);
    room.cancelTimer();
    if (delayMs === 0) return task();
    room.cancelTimer = scheduler.after(delayMs, () => {
      if (isFresh()) task();
    });
  };

  const read = (room: WantedRoom, readId: number, payload: ClientRequests['history:read'][0], delayMs: number) => {
    soon(room, delayMs, () => {
      const isFresh = freshness(room);
      request('history:read', payload, (result) => {
        if (!isFresh()) return;
        if (result.ok) {
          room.failedTries = 0;
          return feed(room, { type: 'page', readId, data: result.data });
        }
        const { code, retryAfterMs } = result.error;
        if (code === 'conflict') return feed(room, { type: 'page-conflict', readId });
        if (!result.error.toBody().retryable) return refuse(room, result.error);
        read(room, readId, payload, pauseMs(room.failedTries++, retryAfterMs));
      });
    });
  };

  const ask = (room: WantedRoom, delayMs: number) => {
    soon(room, delayMs, () => {
      const isFresh = freshness(room);
      const since = room.machine.position;
      const payload = { room: room.id, limit: room.limit, ...(since === null ? {} : { since }) };
      request('room:join', payload, (result) => {
        if (!isFresh()) return;
        if (!result.ok) {
          if (!result.error.toBody().retryable) return refuse(room, result.error);
          return ask(room, pauseMs(room.failedTries++, result.error.retryAfterMs));
        }
        room.failedTries = 0;
        const { role, epoch, head, first } = result.data;
        events.emit('room', { room: room.id, status: 'joined', role, epoch, head, first });
        feed(room, { type: 'joined', data: result.data });
        if (isFresh()) onReady(room.id);
      });
    });
  };

  const forget = (room: WantedRoom) => {
    room.cancelTimer();
    if (wanted.get(room.id) === room) wanted.delete(room.id);
  };

  const refuse = (room: WantedRoom, error: MaruError) => {
    forget(room);
    onGone(room.id);
    events.emit('room', { room: room.id, status: 'refused', error: error.toBody() });
  };

  return {
    join(id, { limit }) {
      if (wanted.has(id)) return;
      const room: WantedRoom = { id, limit, machine: newRoom(), failedTries: 0, cancelTimer: () => {} };
      wanted.set(id, room);
      events.emit('room', { room: id, status: 'joining' });
      if (online) ask(room, 0);
    },
    leave(id) {
      const room = wanted.get(id);
      if (room === undefined) return;
      forget(room);
      if (!online) return;
      // A leave that is not answered leaves nothing behind but entries that are ignored, until the next reconnect.
      request('room:leave', { room: id }, (result) => {
        if (!result.ok) logger.debug('leaving a room was not confirmed', { room: id, code: result.error.code });
      });
    },
    has: (id) => wanted.has(id),
    positions() {
      const positions: Record<string, Position> = {};
      for (const room of wanted.values()) {
        if (room.machine.position !== null) positions[room.id] = room.machine.position;
        // A server refuses a resume of more rooms than a connection may join; the others are joined afterwards.
        if (Object.keys(positions).length >= LIMITS.roomsPerConnectionMax) break;
      }
      return positions;
    },
    onSession(session) {
      online = true;
      connection++;
      for (const room of [...wanted.values()]) {
        const answer = Object.hasOwn(session.rooms, room.id) ? session.rooms[room.id] : undefined;
        if (answer === undefined || room.machine.position === null) ask(room, 0);
        else if ('error' in answer) {
          const error = errorOfBody(answer.error);
          if (error.toBody().retryable) ask(room, pauseMs(0, error.retryAfterMs));
          else refuse(room, error);
        } else {
          feed(room, { type: 'resumed', answer });
          onReady(room.id);
        }
      }
    },
    onLost() {
      online = false;
      connection++;
      for (const room of wanted.values()) {
        room.cancelTimer();
        room.failedTries = 0;
        feed(room, { type: 'offline' });
      }
    },
    onMessage(entry) {
      const room = wanted.get(entry.room);
      if (room !== undefined) feed(room, { type: 'entry', entry });
    },
    onRoomEvent(event) {
      const room = wanted.get(event.room);
      if (room === undefined) return;
      if (event.type === 'epoch') return feed(room, { type: 'epoch', epoch: event.epoch, head: event.head });
      if (event.type === 'removed') {
        forget(room);
        onGone(room.id);
        events.emit('room', { room: room.id, status: 'removed', reason: event.reason });
      }
    },
  };
}
