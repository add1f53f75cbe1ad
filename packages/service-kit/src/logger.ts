/**
 * Structured logs: one JSON object per line on stdout. Never a token, a secret or a message text.
 */
import { pino } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export type Logger = pino.Logger;

const CAUSES_MAX = 4;

/**
 * The logged fields of an error: type, code, message, stack, and the messages of its causes. Not
 * its other properties: errors of the Redis client contain the failed command with its arguments.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack } = error;
  const { code } = error as { code?: unknown };
  const causes: string[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < CAUSES_MAX; ) {
    causes.push(cause instanceof Error ? cause.message : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(causes.length > 0 ? { causes } : {}),
  };
}

export function createLogger(options: { service: string; node: string; level: string }): Logger {
  return pino({
    level: options.level,
    base: { service: options.service, node: options.node },
    timestamp: pino.stdTimeFunctions.isoTime,
    // A safety net: no code should log these fields.
    redact: {
      paths: ['token', '*.token', 'auth', '*.auth', 'authorization', '*.authorization', 'text', '*.text'],
      remove: true,
    },
    serializers: { err: describeError },
    formatters: { level: (level) => ({ level }) },
  });
}
