/**
 * Compares the promises of an act about its target with the history and with received entries.
 * Pure.
 */
import type { Entry } from '@maru/protocol';

export const ACTS = ['ban', 'ban private', 'mute', 'kick', 'kick briefly', 'kick private', 'revoke'] as const;
export type ActName = (typeof ACTS)[number];

/** A revocation must apply everywhere this long after its answer. */
export const REVOKED_WITHIN_MS = 1_000;

/** An acknowledged act. */
export interface DoneAct {
  name: ActName;
  target: string;
  /** Its place in the log. A revocation has none. */
  seq: number | undefined;
  /** When it ends; undefined for no end. */
  untilTs: number | undefined;
  /** When its acknowledgement arrived. */
  ackedAtMs: number;
}

export type Road = 'live' | 'join' | 'history' | 'resume';

/** An entry that a connection of the target received. */
export interface Seen {
  connection: string;
  road: Road;
  seq: number;
  atMs: number;
}

/** A request of the target. */
export interface Asked {
  connection: string;
  event: string;
  askedAtMs: number;
  answeredAtMs: number;
  /** `ok`, a code, or `cut`. */
  outcome: string;
  /** The stored place of a message. */
  seq?: number;
}

export interface TargetLog {
  seen: Seen[];
  asked: Asked[];
}

/** Whether the act affects reading as well as writing. */
export const hides = (name: ActName): boolean => name !== 'mute';

/** @returns the broken promises of the act */
export function checkTarget(act: DoneAct, history: readonly Entry[], { seen, asked }: TargetLog): string[] {
  const violations: string[] = [];
  const report = (text: string) => violations.push(`${act.name}: ${text}`);
  const effectiveMs = act.seq === undefined ? act.ackedAtMs + REVOKED_WITHIN_MS : act.ackedAtMs;
  const lasts = (ms: number) => act.untilTs === undefined || ms < act.untilTs;
  const bars = ({ seq, ts }: { seq: number; ts: number }) =>
    act.seq === undefined ? ts > effectiveMs : seq > act.seq && lasts(ts);
  const where = act.seq === undefined ? 'after the revocation' : `above the act ${act.seq}`;
  for (const entry of history)
    if (entry.from.id === act.target && entry.type === 'text' && bars(entry))
      report(`${entry.seq} of the target is stored ${where}`);
  const stored = new Map(history.map((entry) => [entry.seq, entry]));
  for (const { connection, event, askedAtMs, answeredAtMs, outcome, seq } of asked) {
    if (outcome !== 'ok') continue;
    const entry = seq === undefined ? undefined : stored.get(seq);
    if (seq !== undefined && (entry === undefined ? seq > (act.seq ?? 0) : bars(entry)))
      report(`${connection} had ${seq} acknowledged ${where}`);
    else if (askedAtMs > effectiveMs && lasts(answeredAtMs) && (hides(act.name) || event === 'message:send'))
      report(`${event} of ${connection} was served ${(askedAtMs - act.ackedAtMs).toFixed(1)} ms after the act`);
  }
  if (!hides(act.name)) return violations;
  for (const { connection, road, seq, atMs } of seen) {
    const isBarred = act.seq === undefined ? atMs > effectiveMs : seq > act.seq && lasts(atMs);
    if (isBarred) report(`${connection} got ${seq} ${where}, by ${road}`);
  }
  return violations;
}
