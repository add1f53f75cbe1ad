/** The shape of a load: how much, when, and by how many clients. Pure; times in milliseconds. */
import type { PerVUIterationsScenario } from 'k6/options';

export interface Phase {
  name: string;
  lengthMs: number;
}

/** Clients of one kind, in their own rooms. */
export interface Group {
  name: string;
  clients: number;
  /** Connections of one virtual user. Fewer users with more connections cost the generator less. */
  clientsPerVu: number;
  rooms: number;
  roomsPerClient: number;
  /** The rate of the whole group, for each phase. */
  messagesPerS: readonly number[];
}

export interface Shape {
  rampMs: number;
  phases: readonly Phase[];
  groups: readonly Group[];
  /** How long members may take to receive everything after the last send. */
  settleMs: number;
}

/** The times of a run on the wall clock, the same for all its members. */
export interface Schedule {
  /** Members connect and join before it, evenly spread. */
  sendFromMs: number;
  phases: ReadonlyArray<{ name: string; fromMs: number; untilMs: number }>;
  sendUntilMs: number;
  /** Every member must have everything by then. */
  settledByMs: number;
}

/** The place of a client among all clients, and in its group. Both count from 0. */
export interface ClientSlot {
  group: Group;
  index: number;
  indexInGroup: number;
}

/**
 * By default a cluster allows 500 handshakes a second for each address. The ramp stays far below.
 */
const DIALS_PER_S = 50;
const RAMP_MS_MIN = 2_000;
const CLIENTS_PER_VU = 25;

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

export const clientsOf = (shape: Shape): number => sum(shape.groups.map(({ clients }) => clients));
export const rampMsFor = (clients: number): number => Math.max(RAMP_MS_MIN, (clients / DIALS_PER_S) * 1_000);
const vusOfGroup = ({ clients, clientsPerVu }: Group) => Math.ceil(clients / clientsPerVu);

/** A group with the default number of clients for each virtual user. */
export function createGroup(group: Omit<Group, 'clientsPerVu' | 'roomsPerClient'> & Partial<Group>): Group {
  return { clientsPerVu: CLIENTS_PER_VU, roomsPerClient: 2, ...group };
}

/** One group and consecutive phases. Each phase has a part of the time, and a rate. */
export function phasedShape(options: {
  clients: number;
  rooms: number;
  roomsPerClient?: number;
  sendMs: number;
  settleMs: number;
  phases: ReadonlyArray<{ name: string; part: number; messagesPerS: number }>;
}): Shape {
  const parts = sum(options.phases.map(({ part }) => part));
  return {
    rampMs: rampMsFor(options.clients),
    phases: options.phases.map(({ name, part }) => ({ name, lengthMs: Math.round((options.sendMs * part) / parts) })),
    groups: [
      createGroup({
        name: 'all',
        clients: options.clients,
        rooms: options.rooms,
        roomsPerClient: options.roomsPerClient ?? 2,
        messagesPerS: options.phases.map(({ messagesPerS }) => messagesPerS),
      }),
    ],
    settleMs: options.settleMs,
  };
}

/**
 * The part of one runner, if several k6 processes share a run. Each has its own clients and rooms.
 * @throws {Error} if clients or rooms cannot be divided evenly
 */
export function partOf(shape: Shape, runners: number): Shape {
  return {
    ...shape,
    groups: shape.groups.map((group) => {
      for (const count of [group.clients, group.rooms])
        if (count % runners !== 0)
          throw new Error(`${count} clients or rooms cannot be divided evenly among ${runners} runners`);
      return {
        ...group,
        clients: group.clients / runners,
        rooms: group.rooms / runners,
        messagesPerS: group.messagesPerS.map((rate) => rate / runners),
      };
    }),
  };
}

/**
 * Every user runs once. `part` is the part of one runner; k6 distributes the users to all runners.
 */
export function k6Scenario(part: Shape, runners: number): PerVUIterationsScenario {
  // The last answers may arrive one request timeout after the settle time. A longer run hangs.
  const marginMs = 30_000;
  const sendMs = sum(part.phases.map(({ lengthMs }) => lengthMs));
  return {
    executor: 'per-vu-iterations',
    vus: sum(part.groups.map(vusOfGroup)) * runners,
    iterations: 1,
    maxDuration: `${Math.ceil(part.rampMs + sendMs + part.settleMs + marginMs)}ms`,
    gracefulStop: '5s',
  };
}

/**
 * The clients of virtual user `vu`, from 0. All are of one group, so groups do not delay each
 * other.
 */
export function slotsOf(shape: Shape, vu: number): ClientSlot[] {
  let firstVu = 0;
  let firstClient = 0;
  for (const group of shape.groups) {
    const vus = vusOfGroup(group);
    if (vu < firstVu + vus) {
      const from = (vu - firstVu) * group.clientsPerVu;
      const count = Math.min(group.clientsPerVu, group.clients - from);
      return Array.from({ length: count }, (_, offset) => ({
        group,
        index: firstClient + from + offset,
        indexInGroup: from + offset,
      }));
    }
    firstVu += vus;
    firstClient += group.clients;
  }
  return [];
}

export function scheduleFrom(shape: Shape, nowMs: number): Schedule {
  const sendFromMs = nowMs + shape.rampMs;
  let fromMs = sendFromMs;
  const phases = shape.phases.map(({ name, lengthMs }) => {
    const phase = { name, fromMs, untilMs: fromMs + lengthMs };
    fromMs = phase.untilMs;
    return phase;
  });
  return { sendFromMs, phases, sendUntilMs: fromMs, settledByMs: fromMs + shape.settleMs };
}

/**
 * The index of the phase at `atMs`. Before the first phase it is 0, after the last one its index.
 */
export function phaseAt(schedule: Schedule, atMs: number): number {
  const index = schedule.phases.findIndex(({ untilMs }) => atMs < untilMs);
  return index === -1 ? schedule.phases.length - 1 : index;
}

/**
 * When a client of the group sends next, if it sent or started at `afterMs`. At a new rate, its
 * first send has a random delay, so that clients do not send at the same time. @param random from 0
 * up to 1 @returns undefined if it sends nothing more
 */
export function nextSendMs(
  schedule: Schedule,
  group: Group,
  afterMs: number,
  random: () => number,
): number | undefined {
  const first = phaseAt(schedule, afterMs);
  for (const [index, { fromMs, untilMs }] of schedule.phases.entries()) {
    if (index < first) continue;
    const everyMs = (group.clients / (group.messagesPerS[index] ?? 0)) * 1_000;
    const dueMs = afterMs > fromMs ? afterMs + everyMs : fromMs + random() * everyMs;
    if (dueMs < untilMs) return dueMs;
  }
  return undefined;
}

/** How long client `index` waits before it connects. The ramp spreads the clients. */
export function rampDelayMs(shape: Shape, index: number): number {
  return Math.floor((shape.rampMs * 0.8 * index) / clientsOf(shape));
}

/**
 * The rooms of a client. Neighbours share some of them, so that a server that mixes up rooms is
 * detected. Every room has a client, even if there are more rooms than clients.
 */
export function roomsOf(rooms: readonly string[], { group, indexInGroup }: ClientSlot): string[] {
  const first = Math.floor(indexInGroup * Math.max(1, rooms.length / group.clients));
  const count = Math.min(group.roomsPerClient, rooms.length);
  return Array.from({ length: count }, (_, offset) => rooms[(first + offset) % rooms.length] ?? '');
}

/**
 * Parses `1500ms`, `20s`, `5m`, `1h30m` or a bare number of seconds. @returns milliseconds, or
 * undefined for another text or zero
 */
export function parseDurationMs(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return positive(Number(text) * 1_000);
  const UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (UNITS_MS[unit ?? ''] ?? 0);
  return positive(total);
}

const positive = (value: number) => (value > 0 && Number.isFinite(value) ? Math.round(value) : undefined);
