/**
 * One signed-in connection: who it is, which rooms it has joined, and what it may still do. It does not know Socket.IO: the
 * wire is given to it.
 */
import { LIMITS, MaruError, type Notice, type ServerEvents, type UserRef } from '@maru/protocol';
import type { CutReason, Member } from '../delivery/member.ts';
import type { PacketBatch } from '../edge/packets.ts';
import { eventsOf } from '../limits/answer-cost.ts';
import { type Bucket, type BucketSpec, fullBucket, takeToken } from '../limits/token-bucket.ts';

/** What a session needs of its transport. */
export interface Wire {
  /** Queues one encoded Socket.IO packet behind everything queued before. */
  sendPacket(packet: string): void;
  /** The same for packets that others get too: false where they were queued, true where nothing is left to queue. */
  sendBatch(shared: PacketBatch): boolean;
  emit<E extends keyof ServerEvents>(event: E, ...payload: Parameters<ServerEvents[E]>): void;
  /** Packets that the transport has not taken yet; bytes that have not left for the network. */
  queuedPackets(): number;
  queuedBytes(): number;
  /** Resolves when the transport has taken what was queued, or after `waitMs`. */
  drained(waitMs: number): Promise<void>;
  readonly closed: boolean;
  /** Ends the transport; a client reconnects by itself. `discard`: what is queued is dropped. */
  closeTransport(discard: boolean): void;
  /** Sends DISCONNECT: a client stays away. */
  disconnect(): void;
  /** Ephemeral that may be lost (typing, room events) of a room reach this connection from now on, or no longer. */
  joinSignals(room: string): void;
  leaveSignals(room: string): void;
}

/** A joined room. */
export class Subscription {
  #attached: Promise<void> | undefined;
  #tell: ((attached: Promise<void>) => void) | undefined;

  /** Resolves once live delivery has begun. Few ask before it has, so there is nothing to wait on until somebody does. */
  get attached(): Promise<void> {
    this.#attached ??= new Promise((resolve) => {
      this.#tell = resolve;
    });
    return this.#attached;
  }

  /** Live delivery is beginning. */
  attach(attached: Promise<void>): void {
    if (this.#tell === undefined) this.#attached = attached;
    else this.#tell(attached);
  }
}

/** Bytes and packets queued for one connection before it counts as a slow consumer. The largest answer is some 3.3 MB. */
const QUEUED_BYTES_MAX = 8 * 1_048_576;
const QUEUED_PACKETS_MAX = 8_192;
const FEW_PACKETS = 32;
/** Work that waited longer than this for its turn is refused. Many joins at once take their time; a store that fails refuses all at once. */
const LANE_WAIT_MAX_MS = 5_000;
/** A catch-up goes on once no more than this is queued; one that stands still for so long is cut. */
const CATCH_UP_QUEUED_BYTES = 262_144;
const CATCH_UP_STALL_MS = 30_000;
const CATCH_UP_LOOK_MS = 100;
/**
 * Refused events that a connection may have at once before it counts as a flood. Those refused are told moments up to a minute ahead,
 * at the pace of the bucket, so one who comes back as told is never refused as often as this.
 */
const REFUSALS: BucketSpec = { perSecond: 50, burst: 3_000 };

export class Session implements Member {
  readonly id: string;
  readonly user: UserRef;
  readonly roles: string[];
  readonly expiresAtMs: number;
  readonly subscriptions = new Map<string, Subscription>();
  /** Rooms whose presence it watches. None for most connections. */
  watching: Set<string> | undefined;
  /** `session` was sent. */
  opened = false;
  expiryAnnounced = false;
  advisedToMove = false;
  readonly #wire: Wire;
  readonly #onCut: (reason: CutReason, session: Session) => void;
  readonly #events: Bucket;
  /** None until something was refused. */
  #refusals: Bucket | undefined;
  readonly #eventSpec: BucketSpec;
  /** None while nothing is under way, as for most connections most of the time. */
  #lanes: Map<string, Promise<unknown>> | undefined;
  #nextBacklogCheck = 0;
  #cut = false;

  constructor(options: {
    id: string;
    user: UserRef;
    roles: string[];
    expiresAtMs: number;
    wire: Wire;
    eventSpec: BucketSpec;
    nowMs: number;
    onCut: (reason: CutReason, session: Session) => void;
  }) {
    this.id = options.id;
    this.user = options.user;
    this.roles = options.roles;
    this.expiresAtMs = options.expiresAtMs;
    this.#wire = options.wire;
    this.#onCut = options.onCut;
    this.#eventSpec = options.eventSpec;
    this.#events = fullBucket(options.eventSpec, options.nowMs);
  }

  /** Bytes that its transport has not taken yet. */
  get queuedBytes(): number {
    return this.#wire.queuedBytes();
  }

  get closed(): boolean {
    return this.#cut || this.#wire.closed;
  }

  send(packet: string): void {
    this.#wire.sendPacket(packet);
    this.checkBacklog();
  }

  sendBatch(shared: PacketBatch): void {
    if (!this.#wire.sendBatch(shared)) this.checkBacklog();
  }

  emit<E extends keyof ServerEvents>(event: E, ...payload: Parameters<ServerEvents[E]>): void {
    if (this.closed) return;
    this.#wire.emit(event, ...payload);
    this.checkBacklog();
  }

  /** `session` is the first event; only that the store is ill may be told before it, since then it may take long. */
  notice(notice: Notice): void {
    if (this.opened || notice.code === 'degraded') this.emit('notice', notice);
  }

  /** Cuts a connection for which too much is queued. Called after everything that queues; amortized, it costs little. */
  checkBacklog(): void {
    const packets = this.#wire.queuedPackets();
    if (packets === 0) return;
    // Few packets are quick to weigh, and may be large; of many only now and then.
    if (packets > FEW_PACKETS && packets < this.#nextBacklogCheck) return;
    this.#nextBacklogCheck = packets <= FEW_PACKETS ? 0 : packets + 16 + (packets >> 2);
    if (packets > QUEUED_PACKETS_MAX || this.#wire.queuedBytes() > QUEUED_BYTES_MAX) this.cut('slow_consumer');
  }

  async drained(): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    let leastAtMs = performance.now();
    for (let queued = this.queuedBytes; !this.closed && queued > CATCH_UP_QUEUED_BYTES; queued = this.queuedBytes) {
      if (queued < least) {
        least = queued;
        leastAtMs = performance.now();
      } else if (performance.now() - leastAtMs >= CATCH_UP_STALL_MS) return this.cut('slow_consumer');
      await this.#wire.drained(CATCH_UP_LOOK_MS);
    }
  }

  cut(reason: CutReason): void {
    if (this.closed) return;
    this.#cut = true;
    this.#onCut(reason, this);
    // One who reads nothing would not read a notice either; what is queued for it goes with the transport.
    this.#wire.closeTransport(reason === 'slow_consumer' || reason === 'flood');
  }

  /** Ends it so that the client stays away. */
  end(): void {
    this.#wire.disconnect();
  }

  /** Takes one event: 0, or milliseconds to wait. A flood of refused ones ends the connection. */
  takeEvent(nowMs: number): number {
    const waitMs = takeToken(this.#events, this.#eventSpec, nowMs);
    if (waitMs === 0) return 0;
    this.#refusals ??= fullBucket(REFUSALS, nowMs);
    if (takeToken(this.#refusals, REFUSALS, nowMs) > 0) this.cut('flood');
    return waitMs;
  }

  /** Takes what a large answer costs beyond its event, so that heavy reads are paced like many small ones. */
  charge(bytes: number): void {
    this.#events.tokens -= eventsOf(bytes);
  }

  /** Runs work of one lane (a room's joins and leaves, or the reads) one after the other, in the order of the calls. */
  inLane<T>(lane: string, work: () => Promise<T>): Promise<T> {
    this.#lanes ??= new Map();
    const lanes = this.#lanes;
    const before = lanes.get(lane);
    const since = performance.now();
    const inTurn = () => {
      if (performance.now() - since <= LANE_WAIT_MAX_MS) return work();
      throw new MaruError('unavailable', 'earlier requests of this connection took too long', { retryAfterMs: 500 });
    };
    const run = before === undefined ? work() : before.then(inTurn, unlessUnavailable(inTurn));
    lanes.set(lane, run);
    const clear = () => {
      if (lanes.get(lane) === run) lanes.delete(lane);
      if (lanes.size === 0 && this.#lanes === lanes) this.#lanes = undefined;
    };
    run.then(clear, clear);
    return run;
  }

  /** Runs work once what is under way in a lane is done, in the order of the calls. */
  afterLane<T>(lane: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#lanes?.get(lane);
    return underWay === undefined ? work() : underWay.then(work, unlessUnavailable(work));
  }

  addSubscription(room: string, subscription: Subscription): void {
    this.subscriptions.set(room, subscription);
  }

  /** Ephemeral come with live delivery, so not before the answer that begins it. */
  hearSignals(room: string): void {
    if (this.subscriptions.has(room)) this.#wire.joinSignals(room);
  }

  removeSubscription(room: string): boolean {
    if (!this.subscriptions.delete(room)) return false;
    this.#wire.leaveSignals(room);
    return true;
  }

  get roomsFull(): boolean {
    return this.subscriptions.size >= LIMITS.roomsPerConnectionMax;
  }
}

/** Where the store could not be asked before, those who waited behind are not made to find out one after the other. */
const unlessUnavailable =
  <T>(work: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (error instanceof MaruError && error.code === 'unavailable') throw error;
    return work();
  };
