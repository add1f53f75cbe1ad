/** Extracts the reason why the server refused a handshake, if it gave one. */
import type { MaruError } from '@maru/protocol/errors';
import { errorOfBody } from './ack.ts';

/** The error of socket.io-client. `context` is the HTTP answer to a poll. */
export type ConnectFailure = Error & { data?: unknown; context?: { responseText?: unknown } };

/** Undefined if there is no reason: a network error, or a refused WebSocket. */
export function refusalOf({ data, context }: ConnectFailure): MaruError | undefined {
  if (data !== undefined) return errorOfBody(data);
  try {
    const problem = JSON.parse(String(context?.responseText)) as Record<string, unknown> | null;
    if (typeof problem?.code !== 'string') return undefined;
    return errorOfBody({ ...problem, message: problem.detail ?? problem.title });
  } catch {
    return undefined;
  }
}
