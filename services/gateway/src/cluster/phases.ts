/**
 * Runs the phases of a stop in order. A phase that exceeds its deadline is logged, and the next one
 * begins.
 */
import type { Logger } from '@maru/service-kit';

export interface Phase {
  name: string;
  deadlineMs: number;
  run: () => unknown;
}

/** Never rejects: a failing phase is logged and does not keep later phases from running. */
export async function runPhases(phases: readonly Phase[], logger: Logger): Promise<void> {
  for (const { name, deadlineMs, run } of phases) {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        logger.error({ phase: name, deadlineMs }, 'a stop phase exceeded its deadline');
        resolve();
      }, deadlineMs);
    });
    const work = Promise.resolve()
      .then(run)
      .catch((error: unknown) => logger.error({ err: error, phase: name }, 'a stop phase failed'));
    await Promise.race([work, deadline]);
    clearTimeout(timer);
  }
}
