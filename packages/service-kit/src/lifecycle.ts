/** How a service process lives and ends. The only module besides each `main.ts` that touches signals and exit. */
import type { Logger } from './logger.ts';

export interface Service {
  /** Leaves in order: unready, announce, hand over, close, store last. Resolves when nothing is left to do. */
  drain(): Promise<void>;
  /** Ends at once but cleanly: close what is open and resolve. Also called while `drain` is under way. */
  stop(): Promise<void>;
}

/**
 * Ties a service to its process. SIGTERM drains, within `drainDeadlineMs`. SIGINT, a second SIGTERM, or the loss of the parent that
 * started it over an IPC channel stops at once, within `stopDeadlineMs`. An uncaught error is logged, and the process
 * exits with 1: a supervisor starts a clean one.
 */
export function runService(
  service: Service,
  options: { logger: Logger; drainDeadlineMs: number; stopDeadlineMs: number },
): void {
  const { logger } = options;
  let phase: 'running' | 'draining' | 'stopping' = 'running';

  const exit = (code: number) => {
    logger.flush();
    process.exit(code);
  };
  const within = (work: Promise<void>, deadlineMs: number, what: string) => {
    const timer = setTimeout(() => {
      logger.error({ deadlineMs }, `${what} passed its deadline; exiting with work undone`);
      exit(1);
    }, deadlineMs);
    work.then(
      () => {
        clearTimeout(timer);
        logger.info(`${what} done`);
        exit(0);
      },
      (error: unknown) => {
        clearTimeout(timer);
        logger.error({ err: error }, `${what} failed`);
        exit(1);
      },
    );
  };
  const stop = (reason: string) => {
    if (phase === 'stopping') return;
    phase = 'stopping';
    logger.info({ reason }, 'stopping');
    within(service.stop(), options.stopDeadlineMs, 'stop');
  };

  process.on('SIGTERM', () => {
    if (phase !== 'running') return stop('second SIGTERM');
    phase = 'draining';
    logger.info('draining');
    const drained = service.drain();
    // While a stop overtakes the drain, the stop decides when to exit.
    within(
      drained.then(() => (phase === 'stopping' ? new Promise<void>(() => {}) : undefined)),
      options.drainDeadlineMs,
      'drain',
    );
  });
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('parent is gone'));
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'uncaught error');
    exit(1);
  });
}
