/** Why the server refused a handshake, as far as it says so. */
import type { MaruError } from '@maru/protocol/errors';
import { errorOfBody } from './ack.ts';

/** What socket.io-client reports. `context` is the HTTP answer to a poll. */
export type ConnectFailure = Error & { data?: unknown; context?: { responseText?: unknown } };

/** Undefined if no reason was given: a network error, or a refused WebSocket. */
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
