/**
 * One signed-in connection: its user, its joined rooms, its limits, and its end. It does not know
 * Socket.IO: it sends through a `Connection`.
 */
import { LIMITS, type Notice, type RemovalReason, type ServerEvents, type UserRef } from '@maru/protocol';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { Member } from '../delivery/member.ts';
import type { Connection } from '../edge/connection.ts';
import type { PacketBatch } from '../edge/packets.ts';
import { eventsOf } from '../limits/answer-cost.ts';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import { type Bucket, type BucketSpec, fullBucket, takeToken } from '../limits/token-bucket.ts';
import type { Subscription } from '../rooms/subscription.ts';
import { WorkQueues } from '../rooms/work-queues.ts';
import { ENDS, type EndReason, type EndRule } from './ends.ts';
import type { Expiry } from './expiry.ts';
import { type ConnectionState, mayNotify, OPEN, OPENING } from './state.ts';

/**
 * Backlog of one connection before it counts as a slow consumer. The largest answer has about 3.3
 * MB.
 */
const QUEUED_BYTES_MAX = 8 * 1_048_576;
const QUEUED_PACKETS_MAX = 8_192;
/** Up to this many packets, the backlog's bytes are summed up after every packet. */
const FEW_PACKETS = 32;
/**
 * A catch-up continues when the backlog is below this size. The connection ends if the backlog does
 * not shrink for this time.
 */
const CATCH_UP_QUEUED_BYTES = 262_144;
const CATCH_UP_STALL_MS = 30_000;
const CATCH_UP_POLL_MS = 100;
/**
 * Refused events before a connection counts as a flood. Refusals name waiting times of up to a
 * minute, at the pace of the bucket, so a client that waits is never refused this often.
 */
const REFUSALS: BucketSpec = { perSecond: 50, burst: 3_000 };

/** A connection whose user is refused too often is not read for this time. */
const PAUSE_MS = 100;
/** A pause counts as this many refusals, so a flood that goes on ends the connection in seconds. */
const PAUSE_REFUSALS = 50;

export interface SessionOptions {
  user: UserRef;
  roles: string[];
  expiry: Expiry;
  /** When the token was issued, see `Identity`. */
  issuedAtS: number | undefined;
  /** When the session began, in milliseconds of the store's clock. */
  beganAtMs: number;
  /** What the client calls itself, see `programOf`. */
  program: string | undefined;
  /** Closed after a pause of the process. */
  gate: Pick<PauseGate, 'isOpen' | 'whenOpen'>;
  connection: Connection;
  limits: ConnectionLimits;
  nowMs: number;
  /** Takes an event of the user on this node. Returns 0, or the milliseconds to wait. */
  takeUserEvent: (userId: string) => number;
  /** Counts a refused event of the user. False if it had too many of them in a short time. */
  mayBeRefused: (userId: string) => boolean;
  onEnd: (reason: EndReason, session: Session) => void;
  /** See `Member.removedFrom`. */
  onRemoved: (session: Session, room: string, reason: RemovalReason) => void;
}

export class Session implements Member {
  readonly id: string;
  readonly user: UserRef;
  roles: string[];
  expiry: Expiry;
  issuedAtS: number | undefined;
  readonly beganAtMs: number;
  readonly program: string | undefined;
  /** Joined rooms. */
  readonly subscriptions = new Map<string, Subscription>();
  /** Rooms whose presence it watches. Most connections watch none. */
  watching: Set<string> | undefined;
  readonly queues = new WorkQueues();
  #state: ConnectionState = OPENING;
  readonly #connection: Connection;
  readonly #gate: SessionOptions['gate'];
  readonly #takeUserEvent: SessionOptions['takeUserEvent'];
  readonly #mayBeRefused: SessionOptions['mayBeRefused'];
  readonly #onEnd: (reason: EndReason, session: Session) => void;
  readonly #onRemoved: SessionOptions['onRemoved'];
  readonly #events: Bucket;
  readonly #limits: ConnectionLimits;
  /** Created at the first packet that is not small. */
  #bytes: Bucket | undefined;
  /** Created at the first refusal. */
  #refusals: Bucket | undefined;
  #nextBacklogCheck = 0;
  /** Requests in progress. */
  #requests = 0;

  constructor(options: SessionOptions) {
    this.id = options.connection.id;
    this.user = options.user;
    this.roles = options.roles;
    this.expiry = options.expiry;
    this.issuedAtS = options.issuedAtS;
    this.beganAtMs = options.beganAtMs;
    this.program = options.program;
    this.#gate = options.gate;
    this.#connection = options.connection;
    this.#takeUserEvent = options.takeUserEvent;
    this.#mayBeRefused = options.mayBeRefused;
    this.#onEnd = options.onEnd;
    this.#onRemoved = options.onRemoved;
    this.#limits = options.limits;
    this.#events = fullBucket(options.limits.events, options.nowMs);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Holds requests until `answered` resolves. */
  beginResume(answered: Promise<void>): void {
    if (this.#state.phase !== 'ended') this.#state = { phase: 'resuming', answered, held: 0 };
  }

  /** `session` was sent. */
  opened(): void {
    if (this.#state.phase !== 'ended') this.#state = OPEN;
  }

  /** The client or the network closed the connection. */
  disconnected(): void {
    if (this.#state.phase !== 'ended') this.#state = { phase: 'ended', reason: undefined };
  }

  /** The user was revoked: nothing that the session asked for before may take effect. */
  get revoked(): boolean {
    return this.#state.phase === 'ended' && this.#state.reason === 'revoked';
  }

  get closed(): boolean {
    return this.#state.phase === 'ended' || this.#connection.closed;
  }

  /** `session` was sent, and the connection has not ended. */
  get isOpen(): boolean {
    return this.#state.phase === 'open' && !this.#connection.closed;
  }

  /** Bytes that the transport has not taken. */
  get queuedBytes(): number {
    return this.#connection.queuedBytes();
  }

  /** The address of the other end of its WebSocket, see `Connection`. */
  get peerAddress(): string | undefined {
    return this.#connection.peerAddress;
  }

  greet(): void {
    this.#connection.greet();
  }

  send(packet: string): void {
    this.#connection.send(packet);
    this.checkBacklog();
  }

  sendBatch(batch: PacketBatch): void {
    if (!this.#connection.sendBatch(batch)) this.checkBacklog();
  }

  emit<E extends keyof ServerEvents>(event: E, ...payload: Parameters<ServerEvents[E]>): void {
    if (this.closed) return;
    this.#connection.emit(event, ...payload);
    this.checkBacklog();
  }

  notify(notice: Notice): void {
    if (mayNotify(this.#state, notice.code)) this.emit('notice', notice);
  }

  /**
   * Ends a connection with too large a backlog. Call it after everything that queues. Its amortised
   * cost is small.
   */
  checkBacklog(): void {
    const packets = this.#connection.queuedPackets();
    if (packets === 0) return;
    // A few packets are quick to sum up and may be large. Many packets are summed up rarely.
    if (packets > FEW_PACKETS && packets < this.#nextBacklogCheck) return;
    this.#nextBacklogCheck = packets <= FEW_PACKETS ? 0 : packets + 16 + (packets >> 2);
    if (packets > QUEUED_PACKETS_MAX || this.#connection.queuedBytes() > QUEUED_BYTES_MAX) this.end('slow_consumer');
  }

  async drained(): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    let leastAtMs = performance.now();
    for (let queued = this.queuedBytes; !this.closed && queued > CATCH_UP_QUEUED_BYTES; queued = this.queuedBytes) {
      if (queued < least) {
        least = queued;
        leastAtMs = performance.now();
      } else if (performance.now() - leastAtMs >= CATCH_UP_STALL_MS) return this.end('slow_consumer');
      await this.#connection.drained(CATCH_UP_POLL_MS);
    }
    if (!this.#gate.isOpen()) await this.#gate.whenOpen();
  }

  removedFrom(room: string, reason: RemovalReason): void {
    this.#onRemoved(this, room, reason);
  }

  /** Ends the connection by the rules in `ends.ts`. */
  end(reason: EndReason): void {
    const { comesBack, discardsBacklog, notice }: EndRule = ENDS[reason];
    // A dead token ends a session at once, even one that only waits for its transport to close.
    if (comesBack ? this.closed : this.#isEndedForGood) return;
    if (notice !== undefined && !this.closed) this.#connection.emit('notice', notice);
    this.#state = { phase: 'ended', reason };
    this.#onEnd(reason, this);
    if (comesBack) this.#connection.closeTransport(discardsBacklog);
    else this.#connection.disconnect();
  }

  get #isEndedForGood(): boolean {
    if (this.#state.phase !== 'ended') return false;
    const { reason } = this.#state;
    return reason === undefined || !ENDS[reason].comesBack;
  }

  /**
   * Takes one event. Returns 0, or milliseconds to wait. A flood of refused events ends the
   * connection.
   */
  takeEvent(nowMs: number): number {
    const waitMs = takeToken(this.#events, this.#limits.events, nowMs);
    return this.#unlessFlood(waitMs > 0 ? waitMs : this.#takeUserEvent(this.user.id), nowMs);
  }

  /** The same for the bytes of an event. */
  takeBytes(bytes: number, nowMs: number): number {
    this.#bytes ??= fullBucket(this.#limits.bytes, nowMs);
    return this.#unlessFlood(takeToken(this.#bytes, this.#limits.bytes, nowMs, bytes), nowMs);
  }

  /** False if as many requests as allowed are in progress. */
  beginRequest(): boolean {
    if (this.#requests >= this.#limits.requestsMax) return false;
    this.#requests++;
    return true;
  }

  endRequest(): void {
    this.#requests--;
  }

  #unlessFlood(waitMs: number, nowMs: number): number {
    if (waitMs === 0) return 0;
    this.#refusals ??= fullBucket(REFUSALS, nowMs);
    if (takeToken(this.#refusals, REFUSALS, nowMs) > 0) this.end('flood');
    else if (!this.#mayBeRefused(this.user.id) && this.#connection.pauseReading(PAUSE_MS)) {
      // Events that wait during the pause would have been refused.
      this.#refusals.tokens -= PAUSE_REFUSALS;
    }
    return waitMs;
  }

  /** Takes the additional cost of a large answer. */
  charge(bytes: number): void {
    this.chargeEvents(eventsOf(bytes));
  }

  /** Takes additional events for a request that costs as much as several. */
  chargeEvents(count: number): void {
    this.#events.tokens -= count;
  }

  subscribe(room: string, subscription: Subscription): void {
    this.subscriptions.set(room, subscription);
  }

  /** False if the room was not joined. */
  unsubscribe(room: string): boolean {
    if (!this.subscriptions.delete(room)) return false;
    this.#connection.leaveEphemeral(room);
    return true;
  }

  /** Ephemeral events begin with live delivery, not before the answer to the join. */
  receiveEphemeral(room: string): void {
    if (this.subscriptions.has(room)) this.#connection.joinEphemeral(room);
  }

  get hasMaxRooms(): boolean {
    return this.subscriptions.size >= LIMITS.roomsPerConnectionMax;
  }
}
