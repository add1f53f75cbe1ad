/**
 * The rooms that this node has members of, and nothing else: a node subscribes to a room's live channel while somebody here
 * has joined it, and for a grace after the last one left.
 */
import { isPrivateRoomId, MaruError, type NotRecoveredReason, type Position } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import { roomLiveChannel } from '../keys.ts';
import type { Reader, ReadPiece, ReadResult, RoomLog } from '../log/room-log.ts';
import type { SeenPositions } from '../log/seen-positions.ts';
import { parseAnnouncement } from './announcement.ts';
import type { Member } from './member.ts';
import type { RecentBudget } from './recent-entries.ts';
import { DeliveryRoom } from './room.ts';
import type { Subscriber } from './subscriber.ts';

export interface Delivery {
  /**
   * Enters the room's feed, then reads: what comes after the answer's head will reach the member once it is attached. Holds the
   * room open for the member until `leave`.
   */
  enter(member: Member, room: string, userId: string, piece: ReadPiece, create: boolean): Promise<ReadResult>;
  /**
   * Enters like `enter`, for a connection that comes back: with what it missed, encoded. Many who missed the same piece of a
   * public room share one read.
   */
  resume(member: Member, room: string, userId: string, position: Position): Promise<Resumed>;
  /** Begins live delivery after `position`. */
  attach(member: Member, room: string, position: Position): Promise<void>;
  /** Where a live member stands; undefined where it is not (yet) attached. */
  positionOf(member: Member, room: string): Position | undefined;
  leave(member: Member, room: string): void;
  readonly size: number;
  start(beat: Ticker): void;
  stop(): void;
}

export interface Resumed {
  epoch: string;
  head: number;
  first: number;
  /** Why the hole cannot be closed; undefined where it can, by `packets`. */
  reason: NotRecoveredReason | undefined;
  packets: string[];
}

interface OpenRoom {
  live: DeliveryRoom;
  /** Each with a ticket of its own for every time that it entered: what was begun before it left must not go on after. */
  holders: Map<Member, number>;
  subscribed: Promise<void>;
  closing: NodeJS.Timeout | undefined;
  announced: boolean;
  /** Reads of resumes under way, by position. */
  resumes: Map<string, Promise<Resumed>>;
}

/** Rooms whose heads are compared at once after a resubscription, and in a second of the slow audit at most. */
const CHECK_AT_ONCE = 50;
const AUDIT_ROOMS_PER_SECOND_MAX = 100;
const RECHECK_MS = 500;

export function createDelivery(options: {
  log: RoomLog;
  seen: SeenPositions;
  subscriber: Subscriber;
  logger: Logger;
  /** How long a room without members keeps its subscription. */
  lingerMs: number;
  /** Each open room's head is compared about once in so long. */
  auditPeriodMs: number;
  /** How long an entering member waits for a silent subscriber to be heard again. */
  deadlineMs: number;
  recentBudget: RecentBudget;
  now: () => number;
  metrics: {
    resumeRead(): void;
    delivered(members: number): void;
    /** An entry of the store's time `ts` was announced, and handed to the members here unless it has to wait for one before it. */
    announced(ts: number): void;
    fill(): void;
    malformed(): void;
  };
  /** Somebody entered a room that nobody here was in before. */
  onRoomEntered: (room: string) => void;
}): Delivery {
  const { log, subscriber, logger, metrics } = options;
  const rooms = new Map<string, OpenRoom>();
  let lastTicket = 0;
  let endAudit: (() => void) | undefined;
  let auditQueue: string[] = [];

  const deps = {
    readAfter: (room: string, seq: number, limit: number) => log.read(room, 'node', { mode: 'after', seq, limit }),
    recentBudget: options.recentBudget,
    onSeen: options.seen.note,
    onDelivered: metrics.delivered,
    onFill: metrics.fill,
    onFillFailed: (error: unknown) => logger.debug({ reason: String(error) }, 'a hole could not be read yet'),
    now: options.now,
  };

  const open = (room: string): OpenRoom => {
    const known = rooms.get(room);
    if (known !== undefined) {
      clearTimeout(known.closing);
      known.closing = undefined;
      return known;
    }
    const live = new DeliveryRoom(room, deps);
    const subscribed = subscriber.subscribe(roomLiveChannel(room), (payload) => {
      const packet = parseAnnouncement(payload);
      if (packet === undefined) metrics.malformed();
      else {
        live.onAnnouncement(packet);
        if (packet.kind === 'entry') metrics.announced(packet.ts);
      }
    });
    // Whoever enters awaits it; without this a rejection would count as unhandled where nobody does any more.
    subscribed.catch(() => {});
    const opened: OpenRoom = {
      live,
      holders: new Map(),
      subscribed,
      closing: undefined,
      announced: false,
      resumes: new Map(),
    };
    rooms.set(room, opened);
    return opened;
  };

  const close = (room: string, opened: OpenRoom) => {
    if (rooms.get(room) !== opened || opened.holders.size > 0) return;
    rooms.delete(room);
    opened.live.close();
    subscriber.unsubscribe(roomLiveChannel(room)).catch((error: unknown) => {
      logger.debug({ reason: String(error) }, 'unsubscription failed; the connection is down');
    });
  };

  const release = (member: Member, room: string, lingerMs: number) => {
    const opened = rooms.get(room);
    if (opened === undefined || !opened.holders.delete(member)) return;
    opened.live.detach(member);
    if (opened.holders.size > 0) return;
    clearTimeout(opened.closing);
    opened.closing = setTimeout(() => close(room, opened), lingerMs);
  };

  /** Compares one room with the log; false where the store could not be asked. */
  const check = async (room: string): Promise<boolean> => {
    const opened = rooms.get(room);
    if (opened === undefined || opened.holders.size === 0) return true;
    try {
      // Also keeps an empty room in being for as long as somebody sits in it.
      opened.live.observe(await log.read(room, 'node', { mode: 'none' }, { create: !isPrivateRoomId(room) }));
      return true;
    } catch (error) {
      logger.debug({ reason: String(error) }, 'a head could not be compared');
      return error instanceof MaruError && error.code === 'not_found';
    }
  };

  /** Rooms that may have missed something: each is compared, and again where the store was ill. */
  const unchecked = new Set<string>();
  let checking = false;
  const checkAll = async () => {
    if (checking) return;
    checking = true;
    while (unchecked.size > 0) {
      const failed: string[] = [];
      while (unchecked.size > 0) {
        const page = [...unchecked].slice(0, CHECK_AT_ONCE);
        for (const room of page) unchecked.delete(room);
        const checked = await Promise.all(page.map(check));
        failed.push(...page.filter((_, index) => !checked[index]));
      }
      if (failed.length > 0) await new Promise((resolve) => setTimeout(resolve, RECHECK_MS));
      for (const room of failed) if (rooms.has(room)) unchecked.add(room);
    }
    checking = false;
  };
  subscriber.onResubscribed((channels) => {
    for (const room of rooms.keys()) if (channels.has(roomLiveChannel(room))) unchecked.add(room);
    void checkAll();
  });

  const audit = () => {
    if (auditQueue.length === 0) auditQueue = [...rooms.keys()];
    const share = Math.ceil((rooms.size * 1_000) / options.auditPeriodMs);
    for (const room of auditQueue.splice(0, Math.min(share, AUDIT_ROOMS_PER_SECOND_MAX))) {
      rooms.get(room)?.live.relax(options.now());
      void check(room);
    }
  };

  /** Holds the room open for the member while `look` runs, and from then on where it succeeds. */
  const hold = async <T>(member: Member, room: string, look: (opened: OpenRoom) => Promise<T>): Promise<T> => {
    const opened = open(room);
    const fresh = !opened.holders.has(member);
    if (fresh) opened.holders.set(member, ++lastTicket);
    try {
      await opened.subscribed;
      await untilHeard(subscriber, roomLiveChannel(room), options.deadlineMs);
      const seen = await look(opened);
      if (!opened.announced) options.onRoomEntered(room);
      opened.announced = true;
      return seen;
    } catch (error) {
      if (fresh) release(member, room, 0);
      if (error instanceof MaruError) throw error;
      // A failed subscription must not be kept: the next one who enters tries anew.
      if (rooms.get(room) === opened && opened.live.live.size === 0) {
        rooms.delete(room);
        clearTimeout(opened.closing);
        opened.live.close();
      }
      throw new MaruError('unavailable', 'the store cannot take it now', { retryAfterMs: 500, cause: error });
    }
  };

  const readSince = async (opened: OpenRoom, room: string, reader: Reader, position: Position): Promise<Resumed> => {
    metrics.resumeRead();
    const piece = { mode: 'since', position, fallbackLimit: 0 } as const;
    const read = await log.read(room, reader, piece, { create: !isPrivateRoomId(room) });
    opened.live.observe(read);
    const { epoch, head, first, reason } = read;
    return { epoch, head, first, reason, packets: opened.live.remember(read, options.now()) };
  };

  const resumePublic = (opened: OpenRoom, room: string, position: Position): Promise<Resumed> => {
    const known = opened.live.since(position);
    if (known !== undefined) return Promise.resolve({ ...known, reason: undefined });
    const key = `${position.seq} ${position.epoch}`;
    const underWay = opened.resumes.get(key);
    if (underWay !== undefined) return underWay;
    const read = readSince(opened, room, 'node', position).finally(() => opened.resumes.delete(key));
    opened.resumes.set(key, read);
    return read;
  };

  return {
    enter: (member, room, userId, piece, create) =>
      hold(member, room, async (opened) => {
        const read = await log.read(room, { userId }, piece, { create });
        opened.live.observe(read);
        return read;
      }),
    resume: (member, room, userId, position) =>
      hold(member, room, (opened) =>
        // Who may see a private room is the store's to say, each time.
        isPrivateRoomId(room) ? readSince(opened, room, { userId }, position) : resumePublic(opened, room, position),
      ),
    async attach(member, room, position) {
      const opened = rooms.get(room);
      const ticket = opened?.holders.get(member);
      if (opened === undefined || ticket === undefined) return;
      const wanted = () => !member.closed && rooms.get(room) === opened && opened.holders.get(member) === ticket;
      await opened.live.attach(member, position, wanted);
    },
    positionOf(member, room) {
      const live = rooms.get(room)?.live;
      return live?.live.has(member) ? live.positionOf(member) : undefined;
    },
    leave: (member, room) => release(member, room, options.lingerMs),
    get size() {
      return rooms.size;
    },
    start(beat) {
      endAudit = beat.join(1_000, audit);
    },
    stop() {
      unchecked.clear();
      endAudit?.();
      for (const opened of rooms.values()) {
        clearTimeout(opened.closing);
        opened.live.close();
      }
      rooms.clear();
    },
  };
}

/** A node that was stopped for a while has missed what it does not know of: it answers only once it is heard again. */
async function untilHeard(subscriber: Subscriber, channel: string, deadlineMs: number): Promise<void> {
  for (let waitedMs = 0; !subscriber.hears(channel); waitedMs += 25) {
    if (waitedMs >= deadlineMs)
      throw new MaruError('unavailable', 'this node is cut off from the store', { retryAfterMs: 500 });
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
