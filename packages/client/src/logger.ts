/** The client's diagnostics. They never contain tokens or message texts. */
export interface ClientLogger {
  debug(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

/** The default. Failures still reach the host as events and rejected promises. */
export const silentLogger: ClientLogger = { debug: () => {}, warn: () => {} };

export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
