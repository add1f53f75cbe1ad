/**
 * The rooms that have members on this node. A node subscribes to a room's channel while a member is
 * here and for a grace period after the last one left. It does no work for other rooms.
 */
import { isPrivateRoomId, type LogState, MaruError, type Position } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import { roomLiveChannel } from '../keys.ts';
import { type ReadPiece, type ReadResult, RoomDeleted, type RoomLog } from '../log/room-log.ts';
import type { SeenPositions } from '../log/seen-positions.ts';
import { unavailable } from '../unavailable.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';
import { HeadAudit } from './head-audit.ts';
import type { Member } from './member.ts';
import { createReadOrCreate, type ReadOrCreate } from './read-or-create.ts';
import { Receipts } from './receipts.ts';
import type { RecentBudget } from './recent-entries.ts';
import { type Resumed, Resumes, type ResumesOptions } from './resumes.ts';
import { Room } from './room.ts';
import type { RoomOptions } from './room-options.ts';
import type { Subscriber } from './subscriber.ts';
import { untilAlive } from './until-alive.ts';

export interface DeliveryOptions {
  log: RoomLog;
  seen: SeenPositions;
  subscriber: Subscriber;
  logger: Logger;
  /** How long a room without members keeps its subscription. */
  lingerMs: number;
  /** Each open room's head is compared with the log about once in this period. */
  auditPeriodMs: number;
  /** How long an entering member waits for a silent subscriber. */
  deadlineMs: number;
  recentBudget: RecentBudget;
  gate?: RoomOptions['gate'];
  now: () => number;
  metrics: DeliveryMetrics;
  /** The user's request is about to create a room. Rejects if the user may not do that now. */
  beforeCreate: (userId: string) => Promise<void>;
  /** The first member of this node entered the room. */
  onRoomEntered: (room: string) => void;
}

/** A room with its members. */
interface OpenRoom {
  room: Room;
  resumes: Resumes;
  /**
   * Each member with the number of its entry: work that began before a member left must not
   * continue after it entered again.
   */
  members: Map<Member, number>;
  subscribed: Promise<void>;
  closing: NodeJS.Timeout | undefined;
  announced: boolean;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #rooms = new Map<string, OpenRoom>();
  readonly #roomOptions: RoomOptions;
  readonly #audit: HeadAudit;
  readonly #receipts: Receipts;
  readonly #readOrCreate: ReadOrCreate;
  readonly #resumesOptions: ResumesOptions;
  #lastEntryNumber = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { log, logger, metrics } = options;
    this.#readOrCreate = createReadOrCreate(options);
    this.#resumesOptions = { readOrCreate: this.#readOrCreate, metrics, now: options.now };
    this.#receipts = new Receipts({
      write: (room, packet) => this.#rooms.get(room)?.room.write(packet),
      now: options.now,
    });
    this.#roomOptions = {
      readAfter: (room, seq, limit) => log.read(room, 'node', { mode: 'appended', seq, limit }),
      recentBudget: options.recentBudget,
      ...(options.gate === undefined ? {} : { gate: options.gate }),
      onSeen: options.seen.note,
      onDelivered: metrics.delivered,
      onAnnounced: metrics.announced,
      onReceipt: this.#receipts.note,
      onMalformed: metrics.malformed,
      onBackfill: metrics.backfill,
      onBackfillFailed: (error) => logger.debug({ reason: String(error) }, 'backfill failed; retrying'),
      onDeleted: (room) => this.#onDeleted(room),
      now: options.now,
    };
    this.#audit = new HeadAudit({
      rooms: () => this.#rooms.keys(),
      roomCount: () => this.#rooms.size,
      auditPeriodMs: options.auditPeriodMs,
      compare: (room) => this.#compareHead(room),
      relax: (room) => this.#rooms.get(room)?.room.relax(options.now()),
    });
    options.subscriber.onResubscribed((channels) => {
      const missed = [...this.#rooms.keys()].filter((room) => channels.has(roomLiveChannel(room)));
      for (const room of missed) this.#rooms.get(room)?.room.forgetRecent();
      this.#audit.compareSoon(missed);
    });
  }

  get size(): number {
    return this.#rooms.size;
  }

  /**
   * Subscribes to the room, then reads. Entries after the answer's head reach the member once it is
   * attached. Keeps the room open for the member until `leave`.
   */
  enter(member: Member, room: string, userId: string, piece: ReadPiece, create: boolean): Promise<ReadResult> {
    return this.#hold(member, room, async (opened) => {
      const read = await this.#readOrCreate(room, { userId }, piece, create ? userId : undefined);
      opened.room.observe(read);
      return read;
    });
  }

  /**
   * Enters like `enter`, for a connection that resumes, and gives the missed entries as packets.
   */
  resume(member: Member, room: string, userId: string, position: Position): Promise<Resumed> {
    return this.#hold(member, room, async (opened) => {
      // The store checks the right to see a private room for each user.
      if (isPrivateRoomId(room)) return opened.resumes.read({ userId }, position);
      const shared = await opened.resumes.readShared(position, userId);
      // After the read: a user who may enter now was permitted all that it brought.
      if (shared.guarded) await this.#options.log.read(room, { userId }, { mode: 'none' });
      return shared;
    });
  }

  /**
   * Begins live delivery after `position`. The member's right was checked up to `permittedSeq`,
   * which is the position unless it is given.
   */
  async attach(member: Member, room: string, position: Position, permittedSeq?: number): Promise<void> {
    const opened = this.#rooms.get(room);
    const entryNumber = opened?.members.get(member);
    // The room was deleted while the member entered.
    if (opened === undefined || entryNumber === undefined) return member.removedFrom(room, 'deleted');
    const wanted = () =>
      !member.closed && this.#rooms.get(room) === opened && opened.members.get(member) === entryNumber;
    await opened.room.attach(member, position, wanted, permittedSeq);
  }

  /** The position of a live member; undefined if it is not attached (yet). */
  positionOf(member: Member, room: string): Position | undefined {
    const opened = this.#rooms.get(room)?.room;
    return opened?.live.has(member) ? opened.positionOf(member) : undefined;
  }

  /** See `Erasures.isStale`. */
  isStale(room: string, read: Pick<LogState, 'epoch' | 'head'>): boolean {
    return this.#rooms.get(room)?.room.erasures.isStale(read) ?? false;
  }

  /** Ends live delivery to a member that stays in the room. `attach` begins it again. */
  detach(member: Member, room: string): void {
    this.#rooms.get(room)?.room.detach(member);
  }

  leave(member: Member, room: string): void {
    this.#release(member, room, this.#options.lingerMs);
  }

  start(ticker: Ticker): void {
    this.#audit.start(ticker);
    this.#receipts.start(ticker);
  }

  stop(): void {
    this.#audit.stop();
    this.#receipts.stop();
    for (const { room, closing } of this.#rooms.values()) {
      clearTimeout(closing);
      room.close();
    }
    this.#rooms.clear();
  }

  /** Keeps the room open for the member during `read` and, if `read` succeeds, after it. */
  async #hold<T>(member: Member, room: string, read: (opened: OpenRoom) => Promise<T>): Promise<T> {
    const { subscriber, deadlineMs, onRoomEntered } = this.#options;
    const opened = this.#open(room);
    const isNew = !opened.members.has(member);
    if (isNew) opened.members.set(member, ++this.#lastEntryNumber);
    try {
      await opened.subscribed;
      await untilAlive(subscriber, roomLiveChannel(room), deadlineMs);
      const result = await read(opened);
      if (!opened.announced) onRoomEntered(room);
      opened.announced = true;
      return result;
    } catch (error) {
      if (isNew) this.#release(member, room, 0);
      if (error instanceof MaruError) throw error;
      // Forget the failed subscription, so that the next member tries again.
      if (this.#rooms.get(room) === opened && opened.room.live.size === 0) {
        this.#rooms.delete(room);
        clearTimeout(opened.closing);
        opened.room.close();
      }
      throw unavailable(error);
    }
  }

  #open(id: string): OpenRoom {
    const known = this.#rooms.get(id);
    if (known !== undefined) {
      clearTimeout(known.closing);
      known.closing = undefined;
      return known;
    }
    const room = new Room(id, this.#roomOptions);
    const subscribed = this.#options.subscriber.subscribe(roomLiveChannel(id), room.receive);
    // Members that enter await it. If they have all left, a rejection must not count as unhandled.
    subscribed.catch(() => {});
    const resumes = new Resumes(room, this.#resumesOptions);
    const opened: OpenRoom = { room, resumes, members: new Map(), subscribed, closing: undefined, announced: false };
    this.#rooms.set(id, opened);
    return opened;
  }

  #release(member: Member, room: string, lingerMs: number): void {
    const opened = this.#rooms.get(room);
    if (opened === undefined || !opened.members.delete(member)) return;
    opened.room.detach(member);
    if (opened.members.size > 0) return;
    clearTimeout(opened.closing);
    opened.closing = setTimeout(() => this.#close(room, opened), lingerMs);
  }

  #close(room: string, opened: OpenRoom): void {
    if (this.#rooms.get(room) !== opened || opened.members.size > 0) return;
    this.#rooms.delete(room);
    opened.room.close();
    this.#options.subscriber.unsubscribe(roomLiveChannel(room)).catch((error: unknown) => {
      this.#options.logger.debug({ reason: String(error) }, 'unsubscription failed: the connection is down');
    });
  }

  /**
   * False if the store did not answer. Also keeps an empty room from expiring while a member is in
   * it.
   */
  async #compareHead(room: string): Promise<boolean> {
    const { log, logger } = this.#options;
    const opened = this.#rooms.get(room);
    if (opened === undefined || opened.members.size === 0) return true;
    try {
      opened.room.observe(await log.read(room, 'node', { mode: 'none' }, { create: !isPrivateRoomId(room) }));
      return true;
    } catch (error) {
      if (error instanceof RoomDeleted) this.#onDeleted(room);
      logger.debug({ reason: String(error) }, 'a head was not compared');
      return error instanceof MaruError && error.code === 'not_found';
    }
  }

  /** Removes all members. The room is forgotten at once: a new one of this name is another room. */
  #onDeleted(room: string): void {
    this.#options.seen.forget(room);
    const opened = this.#rooms.get(room);
    if (opened === undefined) return;
    for (const member of [...opened.members.keys()]) member.removedFrom(room, 'deleted');
    opened.members.clear();
    clearTimeout(opened.closing);
    this.#close(room, opened);
  }
}
