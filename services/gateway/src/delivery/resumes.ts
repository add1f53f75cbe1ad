/**
 * Reads what clients missed in one open room. Clients that missed the same entries share one read,
 * also while it is in flight: live delivery brings what comes later.
 */
import type { LogState, NotRecoveredReason, Position } from '@maru/protocol';
import { oldestOf, type Reader } from '../log/room-log.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';
import type { ReadOrCreate } from './read-or-create.ts';
import type { Room } from './room.ts';

export interface Resumed extends LogState {
  /** Why the gap cannot be closed; undefined if `packets` close it. */
  reason: NotRecoveredReason | undefined;
  packets: string[];
}

/** `guarded`: see `ReadResult`. */
type SharedResumed = Resumed & { guarded: boolean };

export interface ResumesOptions {
  readOrCreate: ReadOrCreate;
  metrics: Pick<DeliveryMetrics, 'resumeRead'>;
  now: () => number;
}

export class Resumes {
  readonly #room: Room;
  readonly #options: ResumesOptions;
  readonly #inFlight = new Map<string, Promise<SharedResumed>>();

  constructor(room: Room, options: ResumesOptions) {
    this.#room = room;
    this.#options = options;
  }

  /** The entries after `position`. `creator`: see `ReadOrCreate`. */
  async read(reader: Reader, position: Position, creator?: string): Promise<SharedResumed> {
    const { readOrCreate, metrics, now } = this.#options;
    metrics.resumeRead();
    const piece = { mode: 'since', position, fallbackLimit: 0 } as const;
    const read = await readOrCreate(this.#room.id, reader, piece, creator);
    const { epoch, head, n, reason, guarded } = read;
    const first = oldestOf(read);
    this.#room.observe(read);
    return { epoch, head, n, first, reason, guarded, packets: this.#room.remember(read, now()) };
  }

  /**
   * The same for any reader of a public room. A read that began before a message was deleted is
   * not shared any more.
   */
  readShared(position: Position, userId: string): Promise<SharedResumed> {
    const known = this.#room.since(position);
    if (known !== undefined) return Promise.resolve({ ...known, reason: undefined });
    const key = `${position.seq} ${position.epoch} ${this.#room.erasures.count}`;
    const inFlight = this.#inFlight.get(key);
    if (inFlight !== undefined) return inFlight;
    const read = this.read('node', position, userId).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, read);
    return read;
  }
}
