/** Connects a service to its process. Only this module and each `main.ts` use signals and exit. */
import type { Logger } from './logger.ts';

export interface Service {
  /**
   * Stops in order: unready, announce, hand over, close, Redis last. Resolves when everything is
   * done.
   */
  drain(): Promise<void>;
  /** Closes everything immediately and resolves. May be called during `drain`. */
  stop(): Promise<void>;
}

/**
 * Connects a service to its process. SIGTERM drains, within `drainDeadlineMs`. SIGINT, a second
 * SIGTERM, or the end of a parent with an IPC channel stops at once, within `stopDeadlineMs`. An
 * uncaught error is logged and the process exits with 1, so that a supervisor starts a new one.
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
    // If a stop overtakes the drain, the stop decides when to exit.
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
