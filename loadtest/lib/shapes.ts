/** How much load, and when: apart from what a client does. Pure; times in milliseconds. */
import type { PerVUIterationsScenario } from 'k6/options';

/** When the phases of a run begin, on the wall clock, the same for all its members. */
export interface Schedule {
  /** Members connect and join until here, spread evenly. */
  sendFromMs: number;
  sendUntilMs: number;
  /** The moment by which every member must have everything. */
  settledByMs: number;
}

export interface SteadyShape {
  /** Virtual users, each with `clientsPerVu` connections. Few users with many connections each cost the generator less. */
  vus: number;
  clientsPerVu: number;
  rampMs: number;
  sendMs: number;
  /** How long members may take to become whole after the last send. */
  settleMs: number;
}

export const clientsOf = (shape: SteadyShape): number => shape.vus * shape.clientsPerVu;

/** Everyone comes, sends for a while, and is judged once. */
export function steadyScenario(shape: SteadyShape): PerVUIterationsScenario {
  // The last answers may take a request's deadline longer than the settling; a run that takes more is stuck, and cut.
  const marginMs = 30_000;
  return {
    executor: 'per-vu-iterations',
    vus: shape.vus,
    iterations: 1,
    maxDuration: `${shape.rampMs + shape.sendMs + shape.settleMs + marginMs}ms`,
    gracefulStop: '5s',
  };
}

export function scheduleFrom(shape: SteadyShape, nowMs: number): Schedule {
  const sendFromMs = nowMs + shape.rampMs;
  const sendUntilMs = sendFromMs + shape.sendMs;
  return { sendFromMs, sendUntilMs, settledByMs: sendUntilMs + shape.settleMs };
}

/** The part of the ramp that client `index` waits before it dials, so that they do not all come at once. */
export function rampDelayMs(shape: SteadyShape, index: number): number {
  return Math.floor((shape.rampMs * 0.8 * index) / clientsOf(shape));
}

/** The rooms of client `index`: neighbours share some rooms and not others, so that mixing them up would show. */
export function roomsOf(rooms: readonly string[], index: number, roomsPerClient: number): string[] {
  const count = Math.min(roomsPerClient, rooms.length);
  return Array.from({ length: count }, (_, offset) => rooms[(index + offset) % rooms.length] ?? '');
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
