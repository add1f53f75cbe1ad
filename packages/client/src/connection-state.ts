import type { ErrorBody } from '@maru/protocol/errors';

/** Why a client stays disconnected permanently. After any other end, it reconnects. */
export type EndReason = 'closed' | 'unauthenticated' | 'revoked' | 'expired' | 'disconnected';

export type ConnectionState =
  | { state: 'connecting' }
  /** The session has begun, and requests are possible. */
  | { state: 'connected' }
  /** Connected, but a message has waited for its answer for `lateAfterMs`. It continues to wait. */
  | { state: 'late' }
  /** Connected, but the server's store is unavailable: nothing is stored, and messages wait. */
  | { state: 'degraded' }
  /**
   * The last attempt failed. `retryAtMs`: the time of the next one, on the scheduler's clock.
   * `error`: why the server refused it.
   */
  | { state: 'offline'; retryAtMs: number; error?: ErrorBody }
  | { state: 'ended'; reason: EndReason };

export const sameState = (a: ConnectionState, b: ConnectionState): boolean =>
  a.state === b.state &&
  (a.state !== 'offline' || b.state !== 'offline' || a.retryAtMs === b.retryAtMs) &&
  (a.state !== 'ended' || b.state !== 'ended' || a.reason === b.reason);

/** Requests are possible. */
export const hasSession = ({ state }: ConnectionState): boolean =>
  state === 'connected' || state === 'late' || state === 'degraded';
