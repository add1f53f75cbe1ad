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

/**
 * A phase that fails does not keep later phases from running. Rejects at the end if any phase
 * failed or exceeded its deadline.
 */
export async function runPhases(phases: readonly Phase[], logger: Logger): Promise<void> {
  const failed: string[] = [];
  for (const { name, deadlineMs, run } of phases) {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        failed.push(name);
        logger.error({ phase: name, deadlineMs }, 'a stop phase exceeded its deadline');
        resolve();
      }, deadlineMs);
    });
    const work = Promise.resolve()
      .then(run)
      .catch((error: unknown) => {
        failed.push(name);
        logger.error({ err: error, phase: name }, 'a stop phase failed');
      });
    await Promise.race([work, deadline]);
    clearTimeout(timer);
  }
  if (failed.length > 0) throw new Error(`stop phases failed: ${failed.join(', ')}`);
}
