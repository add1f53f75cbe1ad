/**
 * Joins and leaves the rooms of a connection. This module keeps the order that clients rely on:
 * first the answer, up to its head, then the entries after it.
 */
import {
  isDirectRoomId,
  isPrivateRoomId,
  type JoinData,
  LIMITS,
  MaruError,
  type Position,
  type Recovery,
  type RemovalReason,
  type RequestOf,
  type Role,
  type RoomInfo,
  type Visibility,
} from '@maru/protocol';
import type { Delivery } from '../delivery/delivery.ts';
import { sizeOf, storedEntryJson } from '../log/entry-codec.ts';
import { oldestOf, type ReadResult, type RoomLog } from '../log/room-log.ts';
import { type Reply, withMessages } from './reply.ts';
import type { RoomSession } from './room-session.ts';
import { Subscription } from './subscription.ts';
import { READS_QUEUE, roomQueue } from './work-queues.ts';

/** Informed about the users in each room of this node. */
export interface Occupancy<S> {
  enter(room: string, session: S): void;
  leave(room: string, session: S): void;
}

export interface SubscriptionsOptions<S extends RoomSession> {
  delivery: Delivery;
  log: RoomLog;
  /** Takes a join of the user, or rejects `rate_limited`. */
  takeJoin: (userId: string) => Promise<void> | undefined;
  occupancy: Occupancy<S>;
  onAttachFailed: (error: unknown, session: S) => void;
}

export class Subscriptions<S extends RoomSession> {
  readonly #options: SubscriptionsOptions<S>;

  constructor(options: SubscriptionsOptions<S>) {
    this.#options = options;
  }

  join(session: S, request: RequestOf<'room:join'>): Promise<Reply<JoinData>> {
    return session.queues.run(roomQueue(request.room), () =>
      session.queues.run(READS_QUEUE, () => this.#join(session, request)),
    );
  }

  leave(session: S, { room }: RequestOf<'room:leave'>): Promise<Reply<Record<string, never>>> {
    return session.queues.run(roomQueue(room), () => this.#leave(session, room));
  }

  /** The connection has ended. */
  leaveAll(session: S): void {
    for (const room of [...session.subscriptions.keys()]) this.#drop(session, room);
  }

  /** An act ended the user's subscription. */
  removed(session: S, room: string, reason: RemovalReason): void {
    if (!session.subscriptions.has(room)) return;
    this.#drop(session, room);
    session.emit('room:event', { type: 'removed', room, reason });
  }

  /** Notes a joined room. Live delivery begins with `beginDelivery`. */
  add(session: S, room: string): Subscription {
    const subscription = new Subscription();
    session.subscribe(room, subscription);
    this.#options.occupancy.enter(room, session);
    return subscription;
  }

  /**
   * Begins live delivery after `position`; `permittedSeq` as in `Delivery.attach`. If it fails, the
   * connection ends and the client resumes.
   */
  beginDelivery(
    session: S,
    room: string,
    subscription: Subscription,
    position: Position,
    permittedSeq?: number,
  ): Promise<void> {
    // The room was left and perhaps joined again. The new subscription starts by itself.
    if (session.subscriptions.get(room) !== subscription) {
      subscription.attach(Promise.resolve());
      return Promise.resolve();
    }
    session.receiveEphemeral(room);
    const attached = this.#options.delivery.attach(session, room, position, permittedSeq).catch((error: unknown) => {
      this.#options.onAttachFailed(error, session);
      session.end('store');
    });
    subscription.attach(attached);
    return attached;
  }

  /** A connection that ended during a read has left its rooms. It MUST NOT enter one after that. */
  leaveIfClosed(session: S, room: string): void {
    if (!session.closed) return;
    this.#options.delivery.leave(session, room);
    throw new MaruError('unavailable', 'the connection is gone');
  }

  async #join(session: S, request: RequestOf<'room:join'>): Promise<Reply<JoinData>> {
    await this.#options.takeJoin(session.user.id);
    const { room, since, limit } = request;
    const { delivery } = this.#options;
    const joined = session.subscriptions.get(room);
    if (joined === undefined && session.hasMaxRooms) {
      throw new MaruError(
        'conflict',
        `a connection joins at most ${LIMITS.roomsPerConnectionMax} rooms; leave one first`,
      );
    }
    const piece = since
      ? ({ mode: 'since', position: since, fallbackLimit: limit } as const)
      : ({ mode: 'newest', limit } as const);
    const resumeDelivery = await this.#pause(session, room, joined);
    let read: ReadResult;
    try {
      read = await delivery.enter(session, room, session.user.id, piece, !isPrivateRoomId(room));
    } catch (error) {
      resumeDelivery();
      throw error;
    }
    this.leaveIfClosed(session, room);
    const subscription = joined === undefined ? this.add(session, room) : this.#renew(session, room);
    const recovery: Recovery = since ? recoveryOf(read.reason) : { recovered: false };
    session.charge(sizeOf(read.entries));
    const messages = read.entries.map((entry) => storedEntryJson(room, read.epoch, entry));
    const { epoch, head, n } = read;
    const first = oldestOf(read);
    const rest = { room, role: roleOf(read), epoch, head, n, first, ...recovery, ...infoOf(room, read) };
    return {
      data: withMessages<JoinData>(rest, messages),
      afterwards: () => void this.beginDelivery(session, room, subscription, { epoch, seq: head }),
    };
  }

  /**
   * A join of a joined room gets the answer of a first join, because the client may have missed
   * that. Live delivery pauses, so the client does not get entries up to the answer's head twice.
   * Returns a function that continues delivery where it stopped.
   */
  async #pause(session: S, room: string, joined: Subscription | undefined): Promise<() => void> {
    if (joined === undefined) return () => {};
    const { delivery } = this.#options;
    await joined.attached;
    const position = delivery.positionOf(session, room);
    delivery.detach(session, room);
    return () => {
      if (position !== undefined) void this.beginDelivery(session, room, joined, position);
    };
  }

  /** Replaces the subscription of a joined room, and restarts its delivery. */
  #renew(session: S, room: string): Subscription {
    const subscription = new Subscription();
    session.subscribe(room, subscription);
    return subscription;
  }

  async #leave(session: S, room: string): Promise<Reply<Record<string, never>>> {
    // Leaving a room that was not joined is no error. The read hides private rooms from others.
    if (session.subscriptions.has(room)) this.#drop(session, room);
    else if (isPrivateRoomId(room)) await this.#options.log.read(room, { userId: session.user.id }, { mode: 'none' });
    return { data: {} };
  }

  #drop(session: S, room: string): void {
    session.unsubscribe(room);
    this.#options.delivery.leave(session, room);
    this.#options.occupancy.leave(room, session);
  }
}

/** Every user is a member of a public room. The read checked the membership of a private one. */
export const roleOf = (read: ReadResult): Role => read.role ?? 'member';

const visibilityOf = (room: string): Visibility => {
  if (isDirectRoomId(room)) return 'direct';
  return isPrivateRoomId(room) ? 'private' : 'public';
};

export function infoOf(room: string, { settings }: ReadResult): RoomInfo {
  const visibility = visibilityOf(room);
  if (settings === undefined) return { visibility, title: '' };
  const { title, topic, readOnly, slowModeS, mutedUntilTs } = settings;
  return {
    visibility,
    title,
    ...(topic === '' ? {} : { topic }),
    ...(readOnly ? { readOnly } : {}),
    ...(slowModeS > 0 ? { slowModeS } : {}),
    ...(mutedUntilTs === undefined ? {} : { mutedUntilTs }),
  };
}

export const recoveryOf = (reason: ReadResult['reason']): Recovery =>
  reason === undefined ? { recovered: true } : { recovered: false, reason };
