/** How much load, when and by how many: apart from what a client does. Pure; times in milliseconds. */
import type { PerVUIterationsScenario } from 'k6/options';

export interface Phase {
  name: string;
  lengthMs: number;
}

/** Clients of one kind, in rooms of their own. */
export interface Group {
  name: string;
  clients: number;
  /** Connections of one virtual user. Few users with many connections each cost the generator less. */
  clientsPerVu: number;
  rooms: number;
  roomsPerClient: number;
  /** In each phase, of all clients of the group together. */
  messagesPerS: readonly number[];
}

export interface Shape {
  rampMs: number;
  phases: readonly Phase[];
  groups: readonly Group[];
  /** How long members may take to become whole after the last send. */
  settleMs: number;
}

/** When the phases of a run begin and end, on the wall clock, the same for all its members. */
export interface Schedule {
  /** Members connect and join until here, spread evenly. */
  sendFromMs: number;
  phases: ReadonlyArray<{ name: string; fromMs: number; untilMs: number }>;
  sendUntilMs: number;
  /** The moment by which every member must have everything. */
  settledByMs: number;
}

/** A client of a run: its place among all, from 0, and in its group. */
export interface Seat {
  group: Group;
  index: number;
  indexInGroup: number;
}

/** The usual handshake limit of a cluster is 500 a second by address; a ramp keeps far below. */
const DIALS_PER_S = 50;
const RAMP_MS_MIN = 2_000;
const CLIENTS_PER_VU = 25;

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

export const clientsOf = (shape: Shape): number => sum(shape.groups.map(({ clients }) => clients));
export const rampMsFor = (clients: number): number => Math.max(RAMP_MS_MIN, (clients / DIALS_PER_S) * 1_000);
const vusOfGroup = ({ clients, clientsPerVu }: Group) => Math.ceil(clients / clientsPerVu);

/** A group whose clients are spread over a few virtual users. */
export function createGroup(group: Omit<Group, 'clientsPerVu' | 'roomsPerClient'> & Partial<Group>): Group {
  return { clientsPerVu: CLIENTS_PER_VU, roomsPerClient: 2, ...group };
}

/** One group, and phases one after the other, each with its part of the whole time and its rate. */
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
 * The part of one of `runners` k6 that share a run, each with clients and rooms of its own: they know nothing of each other.
 * @throws {Error} when clients or rooms cannot be shared evenly
 */
export function partOf(shape: Shape, runners: number): Shape {
  return {
    ...shape,
    groups: shape.groups.map((group) => {
      for (const count of [group.clients, group.rooms])
        if (count % runners !== 0)
          throw new Error(`${count} clients or rooms cannot be shared evenly by ${runners} k6`);
      return {
        ...group,
        clients: group.clients / runners,
        rooms: group.rooms / runners,
        messagesPerS: group.messagesPerS.map((rate) => rate / runners),
      };
    }),
  };
}

/** Everyone comes, sends for a while, and is judged once. `part` is one runner's; k6 deals its users out to all of them. */
export function k6Scenario(part: Shape, runners: number): PerVUIterationsScenario {
  // The last answers may take a request's deadline longer than the settling; a run that takes more is stuck, and cut.
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

/** The clients of virtual user `vu`, counted from 0; all of one group, so that kinds do not wait for each other. */
export function seatsOf(shape: Shape, vu: number): Seat[] {
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

/** The index of the phase at `atMs`: the first one before it begins, the last one after all. */
export function phaseAt(schedule: Schedule, atMs: number): number {
  const index = schedule.phases.findIndex(({ untilMs }) => atMs < untilMs);
  return index === -1 ? schedule.phases.length - 1 : index;
}

/**
 * When a client of the group sends next, if it sent or began at `afterMs`. Where the pace changes on the way it begins the new one at a
 * random place, so that clients do not march in step.
 * @param random from 0 up to 1
 * @returns undefined when it sends no more
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

/** The part of the ramp that client `index` waits before it dials, so that they do not all come at once. */
export function rampDelayMs(shape: Shape, index: number): number {
  return Math.floor((shape.rampMs * 0.8 * index) / clientsOf(shape));
}

/**
 * The rooms of a client, of the group's `rooms`: neighbours share some rooms and not others, so that mixing them up would show. Every room
 * has somebody, also where there are more rooms than clients.
 */
export function roomsOf(rooms: readonly string[], { group, indexInGroup }: Seat): string[] {
  const first = Math.floor(indexInGroup * Math.max(1, rooms.length / group.clients));
  const count = Math.min(group.roomsPerClient, rooms.length);
  return Array.from({ length: count }, (_, offset) => rooms[(first + offset) % rooms.length] ?? '');
}

/**
 * `1500ms`, `20s`, `5m`, `1h30m` or a bare number of seconds.
 * @returns milliseconds, or undefined when it is none of these or not above zero
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
