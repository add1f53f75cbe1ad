/** Many members who chat: how much, in which rooms, and whether all of them are whole. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Entry, Position } from '@maru/protocol';
import { poll, sleep } from '../support/poll.ts';
import { type Answer, Member, now } from './member.ts';
import type { Random } from './random.ts';
import { createRoomJudge, type RoomJudge } from './room-judge.ts';

/** Everybody has got as far as messages that were sent when it was asked. */
export interface Whole {
  /** From the moment that was asked about, in milliseconds. */
  wholeMs: number;
  /** Until those messages were acknowledged. */
  probedMs: number;
  /** Who was last to get them. */
  last: string[];
}

export interface Crowd {
  readonly members: readonly Member[];
  readonly rooms: ReadonlyMap<string, RoomJudge>;
  /** Lets them in, a few at a time, and resolves once everybody has joined. */
  gathered(): Promise<void>;
  talk(): void;
  hush(): void;
  /** Resolves when every message that was composed has been acknowledged; tells how many were not in time. */
  settled(timeoutMs: number): Promise<number>;
  /** Sends one message to each room and resolves once everybody has it; rejects where that takes longer, counted from `sinceMs`. */
  whole(sinceMs: number, withinMs: number): Promise<Whole>;
  /** Who is connected, by room. */
  present(): Map<string, string[]>;
  history(room: string, timeoutMs: number): Promise<Entry[]>;
  close(): void;
}

const TICK_MS = 20;
const HISTORY_PAGE = 200;
const ROOMS_EACH = 2;
/** 200 a second: what is tried here is not how many can come at once. */
const ARRIVALS = 10;
const ARRIVALS_EVERY_MS = 50;
const GATHER_TIMEOUT_MS = 120_000;
const LOOK_MS = 10;
const BEHIND_NAMED_MAX = 3;

export function createCrowd(options: {
  endpoints: readonly string[];
  token: (user: string) => string;
  clients: number;
  /** The first one's number, where others have those before it. Default 1. */
  firstMember?: number;
  /** Clients come back at the pace of `socket.io-client`'s own defaults, not sooner. */
  patient?: boolean;
  rooms: number;
  messagesPerSecond: number;
  /** One of so many clients uses long-polling only; 0 for none. */
  pollingEvery: number;
  random: Random;
  onAnswer: (answer: Answer) => void;
  onViolation: (violation: string) => void;
}): Crowd {
  const { random } = options;
  // A site may see several crowds; each has rooms of its own.
  const run = randomUUID().slice(0, 8);
  const names = Array.from({ length: options.rooms }, (_, index) => `faults-${run}-${index + 1}`);
  const rooms = new Map(names.map((name) => [name, createRoomJudge(name)]));
  const each = Math.min(ROOMS_EACH, names.length);
  const roomsOf = new Map<Member, readonly string[]>();
  const inRoom = new Map<string, Member[]>(names.map((name) => [name, []]));
  const members = Array.from({ length: options.clients }, (_, index) => {
    const user = `member-${index + (options.firstMember ?? 1)}`;
    const own = Array.from({ length: each }, (_, place) => names[(index + place) % names.length] as string);
    const member = new Member({
      endpoint: options.endpoints[index % options.endpoints.length] as string,
      user,
      token: options.token(user),
      transport: (index + 1) % options.pollingEvery === 0 ? 'polling' : 'websocket',
      patient: options.patient ?? false,
      rooms: new Map(own.map((name) => [name, rooms.get(name) as RoomJudge])),
      onAnswer: options.onAnswer,
      onViolation: options.onViolation,
    });
    roomsOf.set(member, own);
    for (const name of own) inRoom.get(name)?.push(member);
    return member;
  });
  /** Those that it has joined by now. */
  const ownRooms = (member: Member) =>
    (roomsOf.get(member) ?? []).filter((name) => rooms.get(name)?.position(member.user) !== undefined);

  let timer: NodeJS.Timeout | undefined;
  let owed = 0;
  let tickedAtMs = 0;
  const tick = () => {
    const nowMs = Date.now();
    const most = Math.max(1, options.messagesPerSecond);
    owed = Math.min(owed + ((nowMs - tickedAtMs) * options.messagesPerSecond) / 1_000, most);
    tickedAtMs = nowMs;
    for (; owed >= 1; owed--) {
      const member = random.pick(members);
      const own = ownRooms(member);
      if (own.length > 0) void member.send(random.pick(own));
    }
  };

  /** Who of them has not got as far as that in all its rooms, or is not connected. */
  const behind = (some: readonly Member[], targets: ReadonlyMap<string, Position>) =>
    some.filter((member) => {
      if (!member.ready) return true;
      return ownRooms(member).some((room) => {
        const target = targets.get(room);
        const position = rooms.get(room)?.position(member.user);
        if (target === undefined) return false;
        return position === undefined || position.epoch !== target.epoch || position.seq < target.seq;
      });
    });

  /** Sends one message to each room and resolves with its places. */
  const probe = async (timeoutMs: number): Promise<Map<string, Position>> => {
    const probes = names.map(async (room): Promise<[string, Position]> => {
      const candidates = (inRoom.get(room) ?? []).filter((member) => ownRooms(member).includes(room));
      // Whoever is connected and least behind with its own messages stands for all.
      const sender = [...candidates].sort((a, b) => Number(b.ready) - Number(a.ready) || a.pending - b.pending)[0];
      const place = await sender?.send(room, true);
      if (place === undefined) throw new Error(`no message could be stored in ${room}`);
      return [room, place];
    });
    const gaveUp = new AbortController();
    const late = setTimeout(timeoutMs, undefined, { signal: gaveUp.signal }).then(() => {
      throw new Error(`a message took longer than ${timeoutMs} ms`);
    });
    // Whichever comes second has nobody left to tell.
    late.catch(() => {});
    try {
      return new Map(await Promise.race([Promise.all(probes), late]));
    } finally {
      gaveUp.abort();
    }
  };

  const describe = (late: readonly Member[], dull: number, places: ReadonlyMap<string, Position>) => {
    const some = late.slice(0, BEHIND_NAMED_MAX).map((member) => {
      const at = (roomsOf.get(member) ?? []).map((room) => {
        const seq = rooms.get(room)?.position(member.user)?.seq ?? '-';
        return `${room} ${seq} of ${places.get(room)?.seq ?? '-'}`;
      });
      return `${member.user} (${member.ready ? at.join(', ') : 'not connected'})`;
    });
    return `${late.length} are behind: ${some.join('; ')}; ${dull} were not told that all is well`;
  };

  return {
    members,
    rooms,
    async gathered() {
      for (let first = 0; first < members.length; first += ARRIVALS) {
        for (const member of members.slice(first, first + ARRIVALS)) member.connect();
        await sleep(ARRIVALS_EVERY_MS);
      }
      await poll('everybody to join', () => members.every(({ ready }) => ready), { timeoutMs: GATHER_TIMEOUT_MS });
    },
    talk() {
      if (timer !== undefined) return;
      tickedAtMs = Date.now();
      timer = setInterval(tick, TICK_MS);
    },
    hush() {
      clearInterval(timer);
      timer = undefined;
    },
    async settled(timeoutMs) {
      const deadlineMs = Date.now() + timeoutMs;
      const pending = () => members.reduce((sum, member) => sum + member.pending, 0);
      while (pending() > 0 && Date.now() < deadlineMs) await sleep(20);
      return pending();
    },
    async whole(sinceMs, withinMs) {
      const places = await probe(withinMs);
      const probedMs = now() - sinceMs;
      let last: string[] = [];
      for (let late = members; ; ) {
        late = behind(late, places);
        if (late.length > 0) last = late.map(({ user }) => user);
        const dull = members.filter(({ degraded }) => degraded).length;
        if (late.length + dull === 0) return { wholeMs: now() - sinceMs, probedMs, last };
        if (now() - sinceMs > withinMs) throw new Error(describe(late, dull, places));
        await sleep(LOOK_MS);
      }
    },
    present() {
      const present = new Map<string, string[]>(names.map((name) => [name, []]));
      for (const member of members.filter(({ ready }) => ready))
        for (const room of ownRooms(member)) present.get(room)?.push(member.user);
      return present;
    },
    async history(room, timeoutMs) {
      const deadlineMs = Date.now() + timeoutMs;
      const entries: Entry[] = [];
      for (let after = 0; ; ) {
        const reader = members.find(({ ready }) => ready);
        const ack = await reader?.request('history:read', { room, after, limit: HISTORY_PAGE });
        if (ack === undefined || ack === 'cut' || ack === 'silent' || !ack.ok) {
          if (Date.now() > deadlineMs) throw new Error(`the history of ${room} could not be read`);
          await sleep(typeof ack === 'object' && !ack.ok ? (ack.error.retryAfterMs ?? 100) : 100);
          continue;
        }
        entries.push(...ack.data.messages);
        const last = ack.data.messages.at(-1);
        if (!ack.data.hasMore || last === undefined) return entries;
        after = last.seq;
      }
    },
    close() {
      clearInterval(timer);
      for (const member of members) member.close();
    },
  };
}
