/** Whether the user may write in a room now, and if not, why. Pure: times are arguments. */
import type { RoomDetails } from '@maru/client';

export type WriteGate =
  | { kind: 'open' }
  | { kind: 'read-only' }
  /** `untilTs` is null if the mute has no end. */
  | { kind: 'muted'; untilTs: number | null }
  | { kind: 'slow'; leftS: number };

/** A reading of the store's clock, and the monotonic time of the reading. */
export interface ClockSample {
  ts: number;
  atMs: number;
}

export interface GateTimes {
  nowMs: number;
  wallMs: number;
  /** Taken from the newest live entry. */
  clock: ClockSample | null;
  /** Monotonic. In slow mode, the pause after the last own message ends then. */
  slowUntilMs: number;
}

/**
 * Whether a mute is over. The store's clock is at least the time of the newest entry, and the
 * device's clock may be wrong. So the mute is over if either clock is past its end. If that is too
 * early, the server refuses the message.
 */
function isOver(untilTs: number, { nowMs, wallMs, clock }: GateTimes): boolean {
  const storeMs = clock === null ? 0 : clock.ts + (nowMs - clock.atMs);
  return Math.max(storeMs, wallMs) >= untilTs;
}

export function writeGate(details: RoomDetails | null, times: GateTimes): WriteGate {
  if (details === null) return { kind: 'open' };
  const { mutedUntilTs } = details;
  if (mutedUntilTs === 0) return { kind: 'muted', untilTs: null };
  if (mutedUntilTs !== null && !isOver(mutedUntilTs, times)) return { kind: 'muted', untilTs: mutedUntilTs };
  // A mute also applies to moderators. The other rules apply only to members.
  if (details.role !== 'member') return { kind: 'open' };
  if (details.readOnly) return { kind: 'read-only' };
  const leftMs = times.slowUntilMs - times.nowMs;
  if (details.slowModeS === 0 || leftMs <= 0) return { kind: 'open' };
  return { kind: 'slow', leftS: Math.ceil(leftMs / 1_000) };
}

/** Whether the gate opens by itself. Then the page must check again. */
export const opensByTime = (gate: WriteGate): boolean =>
  gate.kind === 'slow' || (gate.kind === 'muted' && gate.untilTs !== null);
