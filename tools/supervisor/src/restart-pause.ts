/** The pause before the restart of a process that died. */

export const RESTART_PAUSE_MIN_MS = 1_000;
export const RESTART_PAUSE_MAX_MS = 15_000;
/** A process that ran this long counts as healthy: its death counts as the first one. */
export const HEALTHY_AFTER_MS = 5_000;

/**
 * The number of deaths in a row, including the current one.
 * @param livedMs the run time of the process
 */
export const countDeaths = (before: number, livedMs: number): number => (livedMs >= HEALTHY_AFTER_MS ? 1 : before + 1);

/** One second at first. It doubles with each death, up to 15 s. */
export const restartPauseMs = (deathsInARow: number): number =>
  Math.min(RESTART_PAUSE_MIN_MS * 2 ** Math.max(0, Math.min(deathsInARow, 10) - 1), RESTART_PAUSE_MAX_MS);
