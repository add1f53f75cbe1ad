/** How long to wait before a process that died is started again. */

export const RESTART_PAUSE_MIN_MS = 1_000;
export const RESTART_PAUSE_MAX_MS = 15_000;
/** A process that lived so long before it died is taken for healthy: its next death counts as the first. */
export const HEALTHY_AFTER_MS = 30_000;

/**
 * Deaths in a row, the present one included, given those before it.
 * @param livedMs how long the process had run when it died
 */
export const countDeaths = (before: number, livedMs: number): number => (livedMs >= HEALTHY_AFTER_MS ? 1 : before + 1);

/** About a second at first, doubling to 15 s while it keeps dying. */
export const restartPauseMs = (deathsInARow: number): number =>
  Math.min(RESTART_PAUSE_MIN_MS * 2 ** Math.max(0, Math.min(deathsInARow, 10) - 1), RESTART_PAUSE_MAX_MS);
