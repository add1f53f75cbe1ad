/** Many members who chat: how much, in which rooms, and whether all of them are complete. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Entry, Position } from '@maru/protocol';
import { RoomChecker } from '@maru/testkit/checker/room-checker';
import { poll, sleep } from '../support/poll.ts';
import { type Answer, Member, now } from './member.ts';
import type { Random } from './random.ts';

/** All members have received messages that were sent when the caller asked. */
export interface Whole {
  /** Milliseconds since the time that the caller gave. */
  wholeMs: number;
  /** How long it took until those messages were acknowledged. */
  probedMs: number;
  /** The members that received them last. */
  last: string[];
}

export interface CrowdOptions {
  endpoints: readonly string[];
  token: (user: string) => string;
  clients: number;
  /** The number of the first member; other crowds have those before it. Default 1. */
  firstMember?: number;
  /** Clients reconnect with the default back-off of `socket.io-client`. */
  patient?: boolean;
  rooms: number;
  messagesPerSecond: number;
  /** One of this many clients uses long-polling only; 0 for none. */
  pollingEvery: number;
  random: Random;
  onAnswer: (answer: Answer) => void;
  onViolation: (violation: string) => void;
}

type Targets = ReadonlyMap<string, Position>;

const TICK_MS = 20;
const HISTORY_PAGE = 200;
const ROOMS_EACH = 2;
/** 200 a second: the trial does not test how many clients can connect at once. */
const ARRIVALS = 10;
const ARRIVALS_EVERY_MS = 50;
const CONNECT_TIMEOUT_MS = 120_000;
const CHECK_MS = 10;
const SETTLED_CHECK_MS = 20;
const HISTORY_RETRY_MS = 100;
const BEHIND_NAMED_MAX = 3;

export class Crowd {
  readonly members: readonly Member[];
  readonly rooms: ReadonlyMap<string, RoomChecker>;
  readonly #options: CrowdOptions;
  readonly #roomsOf = new Map<Member, readonly string[]>();
  #timer: NodeJS.Timeout | undefined;
  /** Messages that are due. */
  #due = 0;
  #tickedAtMs = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    // An environment may serve several crowds; each has its own rooms.
    const run = randomUUID().slice(0, 8);
    const names = Array.from({ length: options.rooms }, (_, index) => `faults-${run}-${index + 1}`);
    this.rooms = new Map(names.map((name) => [name, new RoomChecker(name)]));
    this.members = Array.from({ length: options.clients }, (_, index) => this.#createMember(index, names));
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

  startSending(): void {
    if (this.#timer !== undefined) return;
    this.#tickedAtMs = Date.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stopSending(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Waits until all composed messages are acknowledged. @returns how many are not in time */
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
      const reader = this.members.find(({ ready }) => ready);
      const ack = await reader?.request('history:read', { room, after, limit: HISTORY_PAGE });
      if (ack === undefined || ack === 'cut' || ack === 'silent' || !ack.ok) {
        if (Date.now() > deadlineMs) throw new Error(`the history of ${room} could not be read`);
        const retryAfterMs = typeof ack === 'object' && !ack.ok ? ack.error.retryAfterMs : undefined;
        await sleep(retryAfterMs ?? HISTORY_RETRY_MS);
        continue;
      }
      entries.push(...ack.data.messages);
      const last = ack.data.messages.at(-1);
      if (!ack.data.hasMore || last === undefined) return entries;
      after = last.seq;
    }
  }

  close(): void {
    this.stopSending();
    for (const member of this.members) member.close();
  }

  #createMember(index: number, names: readonly string[]): Member {
    const options = this.#options;
    const user = `member-${index + (options.firstMember ?? 1)}`;
    const own = Array.from(
      { length: Math.min(ROOMS_EACH, names.length) },
      (_, place) => names[(index + place) % names.length] as string,
    );
    const member = new Member({
      endpoint: options.endpoints[index % options.endpoints.length] as string,
      user,
      token: options.token(user),
      transport: (index + 1) % options.pollingEvery === 0 ? 'polling' : 'websocket',
      patient: options.patient ?? false,
      rooms: new Map(own.map((name) => [name, this.rooms.get(name) as RoomChecker])),
      onAnswer: options.onAnswer,
      onViolation: options.onViolation,
    });
    this.#roomsOf.set(member, own);
    return member;
  }

  #joinedRooms(member: Member): string[] {
    return (this.#roomsOf.get(member) ?? []).filter((name) => this.rooms.get(name)?.position(member.user));
  }

  #tick(): void {
    const { messagesPerSecond, random } = this.#options;
    const nowMs = Date.now();
    const dueMax = Math.max(1, messagesPerSecond);
    this.#due = Math.min(this.#due + ((nowMs - this.#tickedAtMs) * messagesPerSecond) / 1_000, dueMax);
    this.#tickedAtMs = nowMs;
    for (; this.#due >= 1; this.#due--) {
      const member = random.pick(this.members);
      const joined = this.#joinedRooms(member);
      if (joined.length > 0) void member.send(random.pick(joined));
    }
  }

  /** The member is not connected or has not reached the targets of its rooms. */
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
      const at = (this.#roomsOf.get(member) ?? []).map((room) => {
        const seq = this.rooms.get(room)?.position(member.user)?.seq ?? '-';
        return `${room} ${seq} of ${targets.get(room)?.seq ?? '-'}`;
      });
      return `${member.user} (${member.ready ? at.join(', ') : 'not connected'})`;
    });
    return `${late.length} are behind: ${named.join('; ')}; ${degraded} were not notified that the store recovered`;
  }
}
