/**
 * Many members who chat, edit, react and read. It controls the rate and the rooms, and checks
 * whether all members are complete.
 */
import { setTimeout } from 'node:timers/promises';
import type { ClientRequests, Entry, Position } from '@maru/protocol';
import type { RoomChecker } from '@maru/testkit/checker/room-checker';
import { poll, sleep } from '../support/poll.ts';
import { chooseStep } from './acts.ts';
import { CrowdRooms } from './crowd-rooms.ts';
import { Member, now } from './member.ts';
import type { MemberRoom } from './member-room.ts';
import type { Answer } from './outbox.ts';
import type { Random } from './random.ts';

/** All members have received the messages that were sent at the time of the call. */
export interface Whole {
  /** Milliseconds since the time that the caller gave. */
  wholeMs: number;
  /** The time until those messages were acknowledged. */
  probedMs: number;
  /** The members that received them last. */
  last: string[];
}

export interface CrowdOptions {
  endpoints: readonly string[];
  token: (user: string) => string;
  clients: number;
  /** The number of the first member. Other crowds have lower numbers. Default 1. */
  firstMember?: number;
  /** Clients reconnect with the default back-off of `socket.io-client`. */
  patient?: boolean;
  rooms: number;
  /** Number of rooms that a member joins. Default 2. */
  roomsEach?: number;
  /** Members also follow, and sometimes read, the rooms that they do not join. */
  followsAll?: boolean;
  actsPerSecond: number;
  /** One of this many clients uses long-polling only; 0 for none. */
  pollingEvery: number;
  random: Random;
  onAnswer: (answer: Answer) => void;
  onLook?: (answer: Answer) => void;
  onViolation: (violation: string) => void;
}

type Targets = ReadonlyMap<string, Position>;

const TICK_MS = 20;
const HISTORY_PAGE = 200;
const ROOMS_EACH = 2;
/** The share of acts that are reads of a followed room. */
const FOLLOWED_READS = 0.05;
/** 200 a second: the trial does not test how many clients can connect at once. */
const ARRIVALS = 10;
const ARRIVALS_EVERY_MS = 50;
const CONNECT_TIMEOUT_MS = 120_000;
const CHECK_MS = 10;
const SETTLED_CHECK_MS = 20;
const RETRY_MS = 100;
const BEHIND_NAMED_MAX = 3;

export class Crowd {
  readonly members: readonly Member[];
  readonly rooms: ReadonlyMap<string, RoomChecker>;
  readonly #options: CrowdOptions;
  readonly #roomsOf = new Map<Member, ReadonlyMap<string, MemberRoom>>();
  readonly #rooms: CrowdRooms;
  #timer: NodeJS.Timeout | undefined;
  /** Number of due acts. */
  #due = 0;
  #tickedAtMs = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    const { rooms, roomsEach = ROOMS_EACH, followsAll = false } = options;
    this.#rooms = new CrowdRooms({ rooms, roomsEach, followsAll });
    this.rooms = this.#rooms.checkers;
    this.members = Array.from({ length: options.clients }, (_, index) => this.#createMember(index));
  }

  /** Connects the members, a few at a time. Resolves when all have joined. */
  async connect(): Promise<void> {
    for (let first = 0; first < this.members.length; first += ARRIVALS) {
      for (const member of this.members.slice(first, first + ARRIVALS)) member.connect();
      await sleep(ARRIVALS_EVERY_MS);
    }
    await poll('all members to join', () => this.members.every(({ ready }) => ready), {
      timeoutMs: CONNECT_TIMEOUT_MS,
    });
  }

  roomsOf(member: Member): ReadonlyMap<string, MemberRoom> {
    return this.#roomsOf.get(member) ?? new Map();
  }

  startSending(): void {
    if (this.#timer !== undefined) return;
    this.#tickedAtMs = Date.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stopSending(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Waits until all composed messages are acknowledged. @returns the number of those that are late
   */
  async settled(timeoutMs: number): Promise<number> {
    const deadlineMs = Date.now() + timeoutMs;
    const pending = () => this.members.reduce((sum, member) => sum + member.pending, 0);
    while (pending() > 0 && Date.now() < deadlineMs) await sleep(SETTLED_CHECK_MS);
    return pending();
  }

  /**
   * Sends one message to each room. Resolves when all members have it; rejects `withinMs` after
   * `sinceMs`.
   */
  async whole(sinceMs: number, withinMs: number): Promise<Whole> {
    const targets = await this.#probe(withinMs);
    const probedMs = now() - sinceMs;
    let last: string[] = [];
    for (let late = this.members; ; ) {
      late = late.filter((member) => this.#isBehind(member, targets));
      if (late.length > 0) last = late.map(({ user }) => user);
      const degraded = this.members.filter((member) => member.degraded).length;
      if (late.length + degraded === 0) return { wholeMs: now() - sinceMs, probedMs, last };
      if (now() - sinceMs > withinMs) throw new Error(this.#describe(late, degraded, targets));
      await sleep(CHECK_MS);
    }
  }

  /** The connected users of each room. */
  present(): Map<string, string[]> {
    const present = new Map<string, string[]>([...this.rooms.keys()].map((name) => [name, []]));
    for (const member of this.members.filter(({ ready }) => ready))
      for (const room of this.#joinedRooms(member)) present.get(room)?.push(member.user);
    return present;
  }

  async history(room: string, timeoutMs: number): Promise<Entry[]> {
    const deadlineMs = Date.now() + timeoutMs;
    const entries: Entry[] = [];
    for (let after = 0; ; ) {
      const page = await this.ask('history:read', { room, after, limit: HISTORY_PAGE }, deadlineMs);
      entries.push(...page.messages);
      const last = page.messages.at(-1);
      if (!page.hasMore || last === undefined) return entries;
      after = last.seq;
    }
  }

  /** A request of a member, or of any connected one, with retries until the deadline. */
  async ask<N extends keyof ClientRequests>(
    event: N,
    payload: ClientRequests[N][0],
    deadlineMs: number,
    member?: Member,
  ): Promise<ClientRequests[N][1]> {
    for (;;) {
      const reader = member ?? this.members.find(({ ready }) => ready);
      const ack = await reader?.request(event, payload);
      if (typeof ack === 'object' && ack.ok) return ack.data;
      const why = typeof ack === 'object' && !ack.ok ? ack.error.code : ack;
      const isFinal = typeof ack === 'object' && !ack.ok && !ack.error.retryable;
      if (isFinal || Date.now() > deadlineMs) throw new Error(`${event} is not answered: ${why}`);
      const retryAfterMs = typeof ack === 'object' && !ack.ok ? ack.error.retryAfterMs : undefined;
      await sleep(retryAfterMs ?? RETRY_MS);
    }
  }

  close(): void {
    this.stopSending();
    for (const member of this.members) member.close();
  }

  #createMember(index: number): Member {
    const options = this.#options;
    const user = `member-${index + (options.firstMember ?? 1)}`;
    const rooms = this.#rooms.of(index, user);
    const member = new Member({
      endpoint: options.endpoints[index % options.endpoints.length] as string,
      user,
      token: options.token(user),
      transport: (index + 1) % options.pollingEvery === 0 ? 'polling' : 'websocket',
      patient: options.patient ?? false,
      rooms,
      onAnswer: options.onAnswer,
      onLook: options.onLook ?? (() => {}),
      onViolation: options.onViolation,
    });
    this.#roomsOf.set(member, rooms);
    return member;
  }

  #joinedRooms(member: Member): string[] {
    return [...this.roomsOf(member)].filter(([, { position }]) => position !== undefined).map(([name]) => name);
  }

  #tick(): void {
    const { actsPerSecond, random } = this.#options;
    const nowMs = Date.now();
    const dueMax = Math.max(1, actsPerSecond);
    this.#due = Math.min(this.#due + ((nowMs - this.#tickedAtMs) * actsPerSecond) / 1_000, dueMax);
    this.#tickedAtMs = nowMs;
    for (; this.#due >= 1; this.#due--) {
      const member = random.pick(this.members);
      const joined = this.#joinedRooms(member);
      if (this.#options.followsAll && random.next() < FOLLOWED_READS) this.#readFollowed(member);
      else if (joined.length > 0) this.#act(member, random.pick(joined));
    }
  }

  /** Reads a room that the member follows and has not joined. */
  #readFollowed(member: Member): void {
    const followed = [...this.roomsOf(member)].filter(([, { joins, follows }]) => follows && !joins);
    if (followed.length === 0) return;
    const [name, { checker }] = this.#options.random.pick(followed);
    const seq = checker.newest?.seq ?? 0;
    void member.look(name, { kind: 'read', event: 'room:read', payload: { seq } });
  }

  #act(member: Member, name: string): void {
    const room = this.roomsOf(member).get(name);
    if (room === undefined) return;
    const users = this.#rooms.users(name);
    const step = chooseStep({ room, random: this.#options.random, users, text: member.nextText });
    if ('content' in step) void member.perform(name, step);
    else void member.look(name, step);
  }

  /** The member is not connected, or has not reached the targets of its rooms. */
  #isBehind(member: Member, targets: Targets): boolean {
    if (!member.ready) return true;
    return this.#joinedRooms(member).some((room) => {
      const target = targets.get(room);
      const position = this.rooms.get(room)?.position(member.user);
      if (target === undefined) return false;
      return position === undefined || position.epoch !== target.epoch || position.seq < target.seq;
    });
  }

  /** Sends one message to each room. Resolves with their places. */
  async #probe(timeoutMs: number): Promise<Map<string, Position>> {
    const probes = [...this.rooms.keys()].map(async (room): Promise<[string, Position]> => {
      const candidates = this.members.filter((member) => this.#joinedRooms(member).includes(room));
      // A connected member with the fewest waiting messages sends at once.
      const sender = candidates.sort((a, b) => Number(b.ready) - Number(a.ready) || a.pending - b.pending)[0];
      const place = await sender?.send(room, true);
      if (place === undefined) throw new Error(`no message could be stored in ${room}`);
      return [room, place];
    });
    const controller = new AbortController();
    const late = setTimeout(timeoutMs, undefined, { signal: controller.signal }).then(() => {
      throw new Error(`a message took longer than ${timeoutMs} ms`);
    });
    // The loser of the race has no other handler.
    late.catch(() => {});
    try {
      return new Map(await Promise.race([Promise.all(probes), late]));
    } finally {
      controller.abort();
    }
  }

  #describe(late: readonly Member[], degraded: number, targets: Targets): string {
    const named = late.slice(0, BEHIND_NAMED_MAX).map((member) => {
      const at = [...this.roomsOf(member).keys()].map((room) => {
        const seq = this.rooms.get(room)?.position(member.user)?.seq ?? '-';
        return `${room} ${seq} of ${targets.get(room)?.seq ?? '-'}`;
      });
      return `${member.user} (${member.ready ? at.join(', ') : 'not connected'})`;
    });
    return `${late.length} are behind: ${named.join('; ')}; ${degraded} were not notified that the store recovered`;
  }
}
