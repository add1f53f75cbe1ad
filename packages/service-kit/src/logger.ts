/** Structured logs: one JSON object a line on stdout. Never a token, a secret or a message's text. */
import { pino } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export type Logger = pino.Logger;

export function createLogger(options: { service: string; node: string; level: string }): Logger {
  return pino({
    level: options.level,
    base: { service: options.service, node: options.node },
    timestamp: pino.stdTimeFunctions.isoTime,
    // The last line of defence: nothing should ever pass these fields to a log.
    redact: {
      paths: ['token', '*.token', 'auth', '*.auth', 'authorization', '*.authorization', 'text', '*.text'],
      remove: true,
    },
    formatters: { level: (level) => ({ level }) },
  });
}
