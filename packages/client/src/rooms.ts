/** Runs the ordering machine of each wanted room: sends its requests and delivers its entries. */
import type { ErrorBody, MaruError } from '@maru/protocol/errors';
import type {
  ClientRequests,
  Entry,
  HistoryData,
  JoinData,
  MessagesData,
  Position,
  RoomEvent,
  SessionData,
} from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import { type Done, errorOfBody, type Request } from './ack.ts';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from './backoff.ts';
import type { Emitter } from './emitter.ts';
import { EntryRequests } from './entry-requests.ts';
import type { ClientEvents, RoomStatus } from './events.ts';
import type { ClientLimits } from './limits.ts';
import type { ClientLogger } from './logger.ts';
import { errorOfRemoval } from './removal.ts';
import { stepRoom } from './room-order.ts';
import type { RoomEffect, RoomInput } from './room-state.ts';
import type { Scheduler } from './scheduler.ts';
import { newWantedRoom, type WantedRoom } from './wanted-room.ts';

export interface RoomsOptions {
  request: Request;
  events: Pick<Emitter<ClientEvents>, 'emit'>;
  scheduler: Scheduler;
  logger: ClientLogger;
  limits: Pick<ClientLimits, 'probeAfterMs' | 'catchUpMs'>;
  /** The room is joined on the current connection. Called again after each reconnect. */
  onReady: (room: string) => void;
  /** The server refused or removed the room, so it is no longer wanted. */
  onGone: (room: string, error: ErrorBody) => void;
  onJoined: (data: JoinData) => void;
  onEntries: (room: string, entries: readonly Entry[]) => void;
  /** Entries of the room were not delivered, or were rolled back. */
  onSkipped: (room: string) => void;
}

type HistoryPage = ClientRequests['history:read'][0];

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #wanted = new Map<string, WantedRoom>();
  readonly #entryRequests: EntryRequests;
  #online = false;
  /** The number of the current connection. Answers of earlier connections are ignored. */
  #connection = 0;

  constructor(options: RoomsOptions) {
    this.#options = options;
    const { request, scheduler, limits } = options;
    this.#entryRequests = new EntryRequests({ request, scheduler, lateAfterMs: limits.probeAfterMs });
  }

  position(id: string): Position | null {
    return this.#wanted.get(id)?.machine.position ?? null;
  }

  /** The position of every wanted room with delivered entries, for `auth.resume`. */
  positions(): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const room of this.#wanted.values()) {
      if (room.machine.position !== null) positions[room.id] = room.machine.position;
      // The server resumes at most this many rooms. The others are joined afterwards.
      if (Object.keys(positions).length >= LIMITS.roomsPerConnectionMax) break;
    }
    return positions;
  }

  /** Whether the room is joined on the current connection. */
  isReady(id: string): boolean {
    return this.#online && (this.#wanted.get(id)?.machine.phase ?? 'waiting') !== 'waiting';
  }

  /** The last `room` event of a wanted room. */
  status(id: string): RoomStatus | null {
    return this.#wanted.get(id)?.status ?? null;
  }

  join(id: string, { limit }: { limit: number }): void {
    if (this.#wanted.has(id)) return;
    const room = newWantedRoom(id, limit);
    this.#wanted.set(id, room);
    this.#options.events.emit('room', { room: id, ...room.status });
    if (this.#online) this.#requestJoin(room, 0);
  }

  leave(id: string): void {
    const room = this.#wanted.get(id);
    if (room === undefined) return;
    this.#forget(room);
    if (!this.#online) return;
    // If the leave is not answered, entries of the room are ignored until the next reconnect.
    this.#options.request('room:leave', { room: id }, (result) => {
      if (result.ok) return;
      this.#options.logger.debug('leaving a room was not confirmed', { room: id, code: result.error.code });
    });
  }

  onSession(session: SessionData): void {
    this.#online = true;
    this.#connection++;
    for (const room of [...this.#wanted.values()]) {
      const answer = Object.hasOwn(session.rooms, room.id) ? session.rooms[room.id] : undefined;
      if (answer === undefined || room.machine.position === null) this.#requestJoin(room, 0);
      else if ('error' in answer) {
        const error = errorOfBody(answer.error);
        if (mayRetry(error)) this.#requestJoin(room, this.#delayMs(0, error.retryAfterMs));
        else this.#refuse(room, error);
      } else {
        this.#step(room, { type: 'resumed', answer });
        this.expect(room.id, answer);
        this.#options.onReady(room.id);
      }
    }
  }

  onLost(how: { silent: boolean }): void {
    this.#online = false;
    this.#connection++;
    this.#entryRequests.onLost(how);
    for (const room of this.#wanted.values()) {
      room.cancelTimer();
      room.cancelCatchUp();
      room.failedTries = 0;
      this.#step(room, { type: 'offline' });
    }
  }

  onMessage(entry: Entry): void {
    const room = this.#wanted.get(entry.room);
    if (room !== undefined) this.#step(room, { type: 'entry', entry });
  }

  onRoomEvent(event: RoomEvent): void {
    const room = this.#wanted.get(event.room);
    if (room === undefined) return;
    if (event.type === 'epoch') this.#step(room, { type: 'epoch', epoch: event.epoch, head: event.head });
    else if (event.type === 'removed') {
      this.#forget(room);
      this.#options.onGone(room.id, errorOfRemoval(event.reason));
      this.#options.events.emit('room', { room: room.id, status: 'removed', reason: event.reason });
    }
  }

  /** The log reaches `head`. If its entries do not arrive, it is read. */
  expect(id: string, { epoch, head }: { epoch: string; head: number }): void {
    const room = this.#wanted.get(id);
    if (room === undefined || !this.#online) return;
    const known = room.expected;
    room.expected = { epoch, head: known.epoch === epoch ? Math.max(known.head, head) : head };
    this.#watchCatchUp(room);
  }

  /** Reads a page for the host. It may have fewer entries than requested. */
  readPage(page: HistoryPage, done: Done<HistoryData>): void {
    this.#entryRequests.ask('history:read', page, page.limit, done);
  }

  /** The same for messages only. */
  readMessages(page: ClientRequests['messages:read'][0], done: Done<MessagesData>): void {
    this.#entryRequests.ask('messages:read', page, page.limit, done);
  }

  #watchCatchUp(room: WantedRoom): void {
    room.cancelCatchUp();
    const before = room.machine.position;
    const isBehind = () => {
      const { position } = room.machine;
      return position !== null && position.epoch === room.expected.epoch && position.seq < room.expected.head;
    };
    if (!isBehind()) return;
    const isCurrent = this.#currentCheck(room);
    room.cancelCatchUp = this.#options.scheduler.after(this.#options.limits.catchUpMs, () => {
      if (!isCurrent() || !isBehind()) return;
      if (room.machine.position?.seq === before?.seq) this.#step(room, { type: 'behind' });
      this.#watchCatchUp(room);
    });
  }

  #step(room: WantedRoom, input: RoomInput): void {
    const step = stepRoom(room.machine, input);
    room.machine = step.state;
    for (const effect of step.effects) this.#run(room, effect);
    // The answer to a join describes the current room. In all other cases, acts among skipped
    // entries are lost.
    const hasSkipped = step.effects.some((effect) => effect.do === 'gap' || effect.do === 'rollback');
    if (hasSkipped && input.type !== 'joined' && this.#wanted.get(room.id) === room) this.#options.onSkipped(room.id);
  }

  #run(room: WantedRoom, effect: RoomEffect): void {
    // A listener may have left the room in the middle of a batch.
    if (this.#wanted.get(room.id) !== room) return;
    const { events, onEntries } = this.#options;
    switch (effect.do) {
      case 'deliver': {
        const { do: _, ...delivery } = effect;
        onEntries(room.id, effect.entries);
        events.emit('entries', { room: room.id, ...delivery });
        return;
      }
      case 'gap':
        events.emit('gap', { room: room.id, reason: effect.reason, after: effect.after });
        return;
      case 'rollback':
        events.emit('rollback', { room: room.id, epoch: effect.epoch, head: effect.head });
        return;
      case 'read-after': {
        const { epoch, seq } = effect.position;
        // The first read starts immediately. Each read after one without new entries waits longer.
        const delayMs = effect.stalledReads === 0 ? 0 : this.#delayMs(effect.stalledReads);
        const page = { room: room.id, after: seq, epoch, limit: effect.missing ?? LIMITS.pageEntriesMax };
        this.#requestPage(room, effect.readId, page, delayMs);
        return;
      }
      case 'read-newest':
        this.#requestPage(room, effect.readId, { room: room.id, limit: room.limit }, 0);
        return;
    }
  }

  #requestPage(room: WantedRoom, readId: number, page: HistoryPage, delayMs: number): void {
    this.#after(room, delayMs, () => {
      const isCurrent = this.#currentCheck(room);
      this.readPage(page, (result) => {
        if (!isCurrent()) return;
        if (result.ok) {
          room.failedTries = 0;
          return this.#step(room, { type: 'page', readId, data: result.data });
        }
        const { code, retryAfterMs } = result.error;
        if (code === 'conflict') return this.#step(room, { type: 'page-conflict', readId });
        if (!mayRetry(result.error)) return this.#refuse(room, result.error);
        this.#requestPage(room, readId, page, this.#delayMs(room.failedTries++, retryAfterMs));
      });
    });
  }

  #requestJoin(room: WantedRoom, delayMs: number): void {
    this.#after(room, delayMs, () => {
      const isCurrent = this.#currentCheck(room);
      const since = room.machine.position;
      const payload = { room: room.id, ...(since === null ? {} : { since }) };
      this.#entryRequests.ask('room:join', payload, room.limit, (result) => {
        if (!isCurrent()) return;
        if (!result.ok) {
          if (!mayRetry(result.error)) return this.#refuse(room, result.error);
          return this.#requestJoin(room, this.#delayMs(room.failedTries++, result.error.retryAfterMs));
        }
        room.failedTries = 0;
        const { role, epoch, head, first } = result.data;
        room.status = { status: 'joined', role, epoch, head, first };
        this.#options.events.emit('room', { room: room.id, ...room.status });
        if (!isCurrent()) return;
        this.#options.onJoined(result.data);
        this.#step(room, { type: 'joined', data: result.data, wanted: room.limit });
        if (isCurrent()) this.#options.onReady(room.id);
      });
    });
  }

  /** Replaces the room's earlier task. Does nothing if the room or the connection has changed. */
  #after(room: WantedRoom, delayMs: number, task: () => void): void {
    const isCurrent = this.#currentCheck(room);
    room.cancelTimer();
    if (delayMs === 0) {
      task();
      return;
    }
    room.cancelTimer = this.#options.scheduler.after(delayMs, () => {
      if (isCurrent()) task();
    });
  }

  /** Returns a function that checks whether the room is still wanted on the same connection. */
  #currentCheck(room: WantedRoom): () => boolean {
    const connection = this.#connection;
    return () => connection === this.#connection && this.#wanted.get(room.id) === room;
  }

  #delayMs(attempt: number, atLeastMs?: number): number {
    return backoffMs({ attempt, random: this.#options.scheduler.random(), bounds: REQUEST_BACKOFF, atLeastMs });
  }

  #forget(room: WantedRoom): void {
    room.cancelTimer();
    room.cancelCatchUp();
    if (this.#wanted.get(room.id) === room) this.#wanted.delete(room.id);
  }

  #refuse(room: WantedRoom, error: MaruError): void {
    this.#forget(room);
    this.#options.onGone(room.id, error.toBody());
    this.#options.events.emit('room', { room: room.id, status: 'refused', error: error.toBody() });
  }
}
