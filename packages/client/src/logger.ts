/** What the client tells its host about itself. Never a token and never a text. */
export interface ClientLogger {
  debug(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

/** For hosts that do not want to hear it; failures still reach them as events and rejected promises. */
export const silentLogger: ClientLogger = { debug: () => {}, warn: () => {} };

export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
