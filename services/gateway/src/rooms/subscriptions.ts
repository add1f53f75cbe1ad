/**
 * Joining, leaving and resuming the rooms of one connection. The order that clients rely on is made here: first the answer, up
 * to its head; then what comes after it.
 */
import {
  isPrivateRoomId,
  type JoinData,
  LIMITS,
  MaruError,
  type NotRecoveredReason,
  type Position,
  parsePayload,
  position as positionSchema,
  type Recovery,
  type RequestOf,
  type ResumedRoom,
  type Role,
  roomId as roomIdSchema,
} from '@maru/protocol';
import type { Delivery } from '../delivery/delivery.ts';
import { PacketBatch } from '../edge/packets.ts';
import { toEntry } from '../log/entry-codec.ts';
import { type ReadResult, type RoomLog, weigh } from '../log/room-log.ts';
import { type Session, Subscription } from '../sessions/session.ts';

/** An answer, and what is to begin once it was sent. */
export interface Reply<T> {
  data: T;
  afterwards?: () => void;
}

/** The rooms of a resume: their answers, and what was missed, to be delivered once the answers were sent. */
export interface Resumption {
  rooms: Record<string, ResumedRoom>;
  deliver: () => Promise<void>;
}

export interface Membership {
  join(session: Session, request: RequestOf<'room:join'>): Promise<Reply<JoinData>>;
  leave(session: Session, request: RequestOf<'room:leave'>): Promise<Reply<Record<string, never>>>;
  /** `wanted` is what the client sent, unchecked. Waits for as long as the store is ill; `onUnavailable` is called each time. */
  resume(session: Session, wanted: unknown, onUnavailable: () => void): Promise<Resumption>;
  /** The connection is gone. */
  leaveAll(session: Session): void;
}

/** What others need to know of who is in a room on this node. */
export interface Census {
  enter(room: string, session: Session): void;
  leave(room: string, session: Session): void;
}

const RESUME_ROOMS_AT_ONCE = 8;
const RESUME_RETRY_MS = 300;
/** What one connection missed is held for it up to here until its transport takes it. */
const RESUME_HELD_CHARS_MAX = 4 * 1_048_576;

export function createSubscriptions(options: {
  hub: Delivery;
  log: RoomLog;
  census: Census;
  onResume: (result: 'recovered' | 'too_far' | 'trimmed' | 'epoch' | 'error') => void;
  onAttachFailed: (error: unknown, session: Session) => void;
}): Membership {
  const { hub, log, census } = options;

  const take = (session: Session, room: string): Subscription => {
    const subscription = new Subscription();
    session.addSubscription(room, subscription);
    census.enter(room, session);
    return subscription;
  };

  /** Begins live delivery after `position`. Whatever goes wrong then, the client resumes. */
  const begin = (session: Session, room: string, subscription: Subscription, position: Position): Promise<void> => {
    // It was left meanwhile, and perhaps joined again: that subscription has a beginning of its own.
    if (session.subscriptions.get(room) !== subscription) {
      subscription.attach(Promise.resolve());
      return Promise.resolve();
    }
    session.hearSignals(room);
    const attached = hub.attach(session, room, position).catch((error: unknown) => {
      options.onAttachFailed(error, session);
      session.cut('store');
    });
    subscription.attach(attached);
    return attached;
  };

  /** A connection that ended while the store was asked has left its rooms already: it must not enter one after that. */
  const leaveIfGone = (session: Session, room: string) => {
    if (!session.closed) return;
    hub.leave(session, room);
    throw new MaruError('unavailable', 'the connection is gone');
  };

  const joinedAlready = async (session: Session, room: string): Promise<Reply<JoinData>> => {
    await session.subscriptions.get(room)?.attached;
    const read = await log.read(room, { userId: session.user.id }, { mode: 'none' });
    const position = hub.positionOf(session, room) ?? { epoch: read.epoch, seq: read.head };
    const { epoch, seq: head } = position;
    // All up to this head was given to the connection, and the rest is on its way.
    return { data: { room, role: roleOf(read), epoch, head, first: read.first, recovered: true, messages: [] } };
  };

  const join = async (session: Session, request: RequestOf<'room:join'>): Promise<Reply<JoinData>> => {
    const { room, since, limit } = request;
    if (session.subscriptions.has(room)) return joinedAlready(session, room);
    if (session.roomsFull) {
      throw new MaruError(
        'conflict',
        `a connection joins at most ${LIMITS.roomsPerConnectionMax} rooms; leave one first`,
      );
    }
    const piece = since
      ? ({ mode: 'since', position: since, fallbackLimit: limit } as const)
      : ({ mode: 'newest', limit } as const);
    const read = await hub.enter(session, room, session.user.id, piece, !isPrivateRoomId(room));
    leaveIfGone(session, room);
    const subscription = take(session, room);
    const recovery: Recovery = since ? recoveryOf(read.reason) : { recovered: false };
    session.charge(weigh(read.entries));
    const messages = read.entries.map((entry) => toEntry(room, read.epoch, entry));
    const { epoch, head, first } = read;
    return {
      data: { room, role: roleOf(read), epoch, head, first, ...recovery, messages },
      afterwards: () => void begin(session, room, subscription, { epoch, seq: head }),
    };
  };

  const leave = async (session: Session, room: string): Promise<Reply<Record<string, never>>> => {
    if (session.removeSubscription(room)) {
      hub.leave(session, room);
      census.leave(room, session);
    } else {
      // Leaving what one never joined is no error, but it tells nothing about rooms that one may not see.
      await log.read(room, { userId: session.user.id }, { mode: 'none' });
    }
    return { data: {} };
  };

  /** One room of a resume: tried until the store answers, because "not recovered" must mean that it cannot be. */
  const resumeRoom = async (session: Session, room: string, position: Position, onUnavailable: () => void) => {
    while (!session.closed) {
      try {
        return await hub.resume(session, room, session.user.id, position);
      } catch (error) {
        if (!(error instanceof MaruError) || error.code !== 'unavailable') throw error;
        onUnavailable();
        await new Promise((resolve) => setTimeout(resolve, RESUME_RETRY_MS * (0.5 + Math.random())));
      }
    }
    throw new MaruError('unavailable', 'the connection is gone');
  };

  return {
    join: (session, request) =>
      session.inLane(`room:${request.room}`, () => session.inLane('reads', () => join(session, request))),
    leave: (session, { room }) => session.inLane(`room:${room}`, () => leave(session, room)),

    async resume(session, wanted, onUnavailable) {
      const answers: Array<[string, ResumedRoom]> = [];
      const deliveries: Array<() => Promise<void>> = [];
      const queue = isRecord(wanted) ? Object.entries(wanted) : [];
      let roomsLeft = LIMITS.roomsPerConnectionMax;
      let heldChars = 0;
      const worker = async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const [room, raw] = next;
          try {
            parsePayload(roomIdSchema, room);
            const position = parsePayload(positionSchema, raw);
            if (roomsLeft-- <= 0) throw new MaruError('conflict', `at most ${LIMITS.roomsPerConnectionMax} rooms`);
            const { epoch, head, first, reason, packets } = await resumeRoom(session, room, position, onUnavailable);
            leaveIfGone(session, room);
            options.onResume(reason ?? 'recovered');
            answers.push([room, { epoch, head, first, ...recoveryOf(reason) }]);
            const subscription = take(session, room);
            const chars = packets.reduce((sum, packet) => sum + packet.length, 0);
            heldChars += chars;
            if (reason === undefined && heldChars > RESUME_HELD_CHARS_MAX) {
              // Too much to hold for one connection; catching up reads it again, page by page as the transport takes it.
              heldChars -= chars;
              deliveries.push(() => begin(session, room, subscription, { epoch, seq: position.seq }));
              continue;
            }
            deliveries.push(async () => {
              if (session.subscriptions.get(room) === subscription && packets.length > 0) {
                session.sendBatch(new PacketBatch(packets));
                await session.drained();
              }
              await begin(session, room, subscription, { epoch, seq: head });
            });
          } catch (error) {
            if (!(error instanceof MaruError)) throw error;
            options.onResume('error');
            answers.push([room.slice(0, LIMITS.roomIdCharsMax), { error: error.toBody() }]);
          }
        }
      };
      await Promise.all(Array.from({ length: RESUME_ROOMS_AT_ONCE }, worker));
      return {
        rooms: Object.fromEntries(answers),
        deliver: async () => {
          for (const deliver of deliveries) await deliver();
        },
      };
    },

    leaveAll(session) {
      for (const room of [...session.subscriptions.keys()]) {
        session.removeSubscription(room);
        hub.leave(session, room);
        census.leave(room, session);
      }
    },
  };
}

/** Everybody is a member of a public room; a private one was checked by the read. */
const roleOf = (read: ReadResult): Role => read.role ?? 'member';

const recoveryOf = (reason: NotRecoveredReason | undefined): Recovery =>
  reason === undefined ? { recovered: true } : { recovered: false, reason };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
