/** Why a client stays away for good. Everything else is come back from. */
export type EndReason = 'closed' | 'unauthenticated' | 'revoked' | 'expired' | 'disconnected';

export type ConnectionState =
  | { state: 'connecting' }
  /** The session is there and requests are taken. */
  | { state: 'connected' }
  /** Connected to a server whose store is ill: nothing is stored for now, and what is sent waits. */
  | { state: 'degraded' }
  /** The last try failed; `retryAtMs` is the moment of the next, on the scheduler's clock. */
  | { state: 'offline'; retryAtMs: number }
  | { state: 'ended'; reason: EndReason };

export const sameState = (a: ConnectionState, b: ConnectionState): boolean =>
  a.state === b.state &&
  (a.state !== 'offline' || b.state !== 'offline' || a.retryAtMs === b.retryAtMs) &&
  (a.state !== 'ended' || b.state !== 'ended' || a.reason === b.reason);
