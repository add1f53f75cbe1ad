/**
 * Resumes the rooms of a new connection (`auth.resume`): rejoins them, and delivers what was
 * missed.
 */
import {
  LIMITS,
  MaruError,
  type NotRecoveredReason,
  type Position,
  parsePayload,
  position as positionSchema,
  type ResumedRoom,
  roomId as roomIdSchema,
} from '@maru/protocol';
import type { Delivery } from '../delivery/delivery.ts';
import type { Resumed } from '../delivery/resumes.ts';
import { PacketBatch } from '../edge/packets.ts';
import type { RoomSession } from './room-session.ts';
import { recoveryOf, type Subscriptions } from './subscriptions.ts';

/**
 * The answers of a resume, and a function that starts the delivery of missed entries. Call it after
 * the answers were sent.
 */
export interface Resumption {
  rooms: Record<string, ResumedRoom>;
  deliver: () => Promise<void>;
}

export type ResumeResult = NotRecoveredReason | 'recovered' | 'error';

export interface ResumeOptions<S extends RoomSession> {
  delivery: Delivery;
  subscriptions: Subscriptions<S>;
  /** Delays a user who resumes very many rooms. */
  takeResume: (session: S) => Promise<void> | undefined;
  onResume: (result: ResumeResult) => void;
}

const ROOMS_AT_ONCE_MAX = 8;
const RETRY_MS = 300;
/** Maximum missed packets held for one connection until its transport takes them. */
const HELD_CHARS_MAX = 4 * 1_048_576;

/**
 * `wanted` is unchecked client input. Waits while the store is unavailable, and calls
 * `onUnavailable` for each failed read.
 */
export type ResumeRooms<S> = (session: S, wanted: unknown, onUnavailable: () => void) => Promise<Resumption>;

export function createResumeRooms<S extends RoomSession>(options: ResumeOptions<S>): ResumeRooms<S> {
  return async (session, wanted, onUnavailable) => {
    const run = new ResumeRun(options, session, onUnavailable);
    const queue = isRecord(wanted) ? Object.entries(wanted) : [];
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run.resume(...next);
    };
    await Promise.all(Array.from({ length: ROOMS_AT_ONCE_MAX }, worker));
    return run.result();
  };
}

/** One connection's resume. */
class ResumeRun<S extends RoomSession> {
  readonly #options: ResumeOptions<S>;
  readonly #session: S;
  readonly #onUnavailable: () => void;
  readonly #answers: Array<[string, ResumedRoom]> = [];
  readonly #deliveries: Array<() => Promise<void>> = [];
  #roomsLeft = LIMITS.roomsPerConnectionMax;
  #heldChars = 0;

  constructor(options: ResumeOptions<S>, session: S, onUnavailable: () => void) {
    this.#options = options;
    this.#session = session;
    this.#onUnavailable = onUnavailable;
  }

  result(): Resumption {
    return {
      rooms: Object.fromEntries(this.#answers),
      deliver: async () => {
        for (const deliver of this.#deliveries) await deliver();
      },
    };
  }

  /** Rejects only for errors that are not MaruErrors. */
  async resume(room: string, rawPosition: unknown): Promise<void> {
    try {
      parsePayload(roomIdSchema, room);
      const position = parsePayload(positionSchema, rawPosition);
      if (this.#roomsLeft-- <= 0) throw new MaruError('conflict', `at most ${LIMITS.roomsPerConnectionMax} rooms`);
      await this.#options.takeResume(this.#session);
      const resumed = await this.#read(room, position);
      this.#options.subscriptions.leaveIfClosed(this.#session, room);
      const { epoch, head, n, first, reason } = resumed;
      this.#options.onResume(reason ?? 'recovered');
      this.#answers.push([room, { epoch, head, n, first, ...recoveryOf(reason) }]);
      this.#addDelivery(room, position, resumed);
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      this.#options.onResume('error');
      this.#answers.push([room.slice(0, LIMITS.roomIdCharsMax), { error: error.toBody() }]);
    }
  }

  /**
   * Retries until the store answers, because "not recovered" must mean that the gap cannot be
   * closed.
   */
  async #read(room: string, position: Position): Promise<Resumed> {
    const session = this.#session;
    while (!session.closed) {
      try {
        return await this.#options.delivery.resume(session, room, session.user.id, position);
      } catch (error) {
        if (!(error instanceof MaruError) || error.code !== 'unavailable') throw error;
        this.#onUnavailable();
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
      }
    }
    throw new MaruError('unavailable', 'the connection is gone');
  }

  #addDelivery(room: string, position: Position, { epoch, head, reason, packets }: Resumed): void {
    const { subscriptions } = this.#options;
    const session = this.#session;
    const subscription = subscriptions.add(session, room);
    const chars = packets.reduce((sum, packet) => sum + packet.length, 0);
    // Catch-up reads the entries again, page by page, at the pace of the transport.
    const readAgain = () =>
      subscriptions.beginDelivery(session, room, subscription, { epoch, seq: position.seq }, head);
    // The packets are too large to hold for one connection.
    if (reason === undefined && this.#heldChars + chars > HELD_CHARS_MAX) {
      this.#deliveries.push(readAgain);
      return;
    }
    this.#heldChars += chars;
    this.#deliveries.push(async () => {
      // A message was deleted since the read, and its text may be in the packets.
      if (reason === undefined && this.#options.delivery.isStale(room, { epoch, head })) return readAgain();
      if (session.subscriptions.get(room) === subscription && packets.length > 0) {
        session.sendBatch(new PacketBatch(packets));
        await session.drained();
      }
      await subscriptions.beginDelivery(session, room, subscription, { epoch, seq: head });
    });
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
