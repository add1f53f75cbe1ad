/**
 * Keeps the details of each joined room up to date: from the answer to a join, and then from later
 * acts. After a gap or a rollback, acts may be missing. Then the room is joined once more, which
 * returns its details and changes nothing else.
 */
import type { Entry, JoinData } from '@maru/protocol/events';
import type { Request } from './ack.ts';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from './backoff.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents } from './events.ts';
import { applyAct, detailsOf, type RoomDetails } from './room-details.ts';
import type { Scheduler } from './scheduler.ts';

export interface DetailsBookOptions {
  request: Request;
  events: Pick<Emitter<ClientEvents>, 'emit'>;
  scheduler: Scheduler;
  /** The log reaches `head`. */
  onHead: (room: string, position: { epoch: string; head: number }) => void;
}

interface Known {
  readonly details: RoomDetails;
  /** The details include changes up to this entry. */
  readonly seq: number;
}

export class DetailsBook {
  readonly #options: DetailsBookOptions;
  readonly #known = new Map<string, Known>();
  /** Rooms whose details lack acts, with a function that cancels the next request. */
  readonly #outdated = new Map<string, () => void>();

  constructor(options: DetailsBookOptions) {
    this.#options = options;
  }

  get(room: string): RoomDetails | null {
    return this.#known.get(room)?.details ?? null;
  }

  onJoined(data: JoinData): void {
    this.#clear(data.room);
    this.#set(data.room, { details: detailsOf(data), seq: data.head });
  }

  onEntries(room: string, entries: readonly Entry[], ownUserId: string): void {
    const known = this.#known.get(room);
    if (known === undefined) return;
    const fresh = entries.filter(({ seq }) => seq > known.seq);
    const last = fresh.at(-1);
    if (last === undefined) return;
    const details = fresh.reduce((before, entry) => applyAct(before, ownUserId, entry), known.details);
    this.#set(room, { details, seq: last.seq });
  }

  /** Some entries of the room were not delivered, or were rolled back. */
  onSkipped(room: string): void {
    if (!this.#known.has(room)) return;
    this.#refresh(room, 0);
  }

  /** The room is joined on a new connection, which may have lost a request of the last one. */
  onReady(room: string): void {
    if (this.#outdated.has(room)) this.#refresh(room, 0);
  }

  forget(room: string): void {
    this.#clear(room);
    this.#known.delete(room);
  }

  /** The client has ended, so no request will be answered. */
  close(): void {
    for (const room of [...this.#outdated.keys()]) this.#clear(room);
  }

  #refresh(room: string, attempt: number): void {
    const { request, scheduler, onHead } = this.#options;
    this.#clear(room);
    let isCurrent = true;
    const cancel = () => {
      isCurrent = false;
    };
    this.#outdated.set(room, cancel);
    request('room:join', { room, limit: 1 }, (result) => {
      if (!isCurrent) return;
      if (result.ok) {
        this.onJoined(result.data);
        onHead(room, result.data);
        return;
      }
      // The server reports a removal from the room separately.
      if (!mayRetry(result.error)) return this.#clear(room);
      const { retryAfterMs: atLeastMs } = result.error;
      const delayMs = backoffMs({ attempt, random: scheduler.random(), bounds: REQUEST_BACKOFF, atLeastMs });
      this.#outdated.set(
        room,
        scheduler.after(delayMs, () => this.#refresh(room, attempt + 1)),
      );
    });
  }

  #clear(room: string): void {
    this.#outdated.get(room)?.();
    this.#outdated.delete(room);
  }

  #set(room: string, next: Known): void {
    const before = this.#known.get(room)?.details;
    this.#known.set(room, next);
    if (before !== next.details) this.#options.events.emit('details', { room, details: next.details });
  }
}
