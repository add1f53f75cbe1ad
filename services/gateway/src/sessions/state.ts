/**
 * The phases of a connection, from its transport to its end.
 *
 *     handshake → authenticating → opening → open
 *                                     ↓        ↑
 *                                  resuming ───┘
 *
 * A refused token leads from `authenticating` back to `handshake`. Every phase may lead to `ended`.
 *
 * `half-open.ts` keeps the first two phases by transport, `Session` the others.
 */
import type { EndReason } from './ends.ts';

export type ConnectionState =
  /** The transport is open. The client has not sent CONNECT. */
  | { readonly phase: 'handshake' }
  /** The token is being checked. */
  | { readonly phase: 'authenticating' }
  /** The session exists, but `session` was not sent. */
  | { readonly phase: 'opening' }
  /**
   * A resume is being answered. Requests are held until `answered` resolves; if it rejects, they
   * are dropped.
   */
  | { readonly phase: 'resuming'; readonly answered: Promise<void>; held: number }
  /** `session` was sent. */
  | { readonly phase: 'open' }
  /** `reason` is undefined if the client or the network ended the connection. */
  | { readonly phase: 'ended'; readonly reason: EndReason | undefined };

export const HANDSHAKE: ConnectionState = Object.freeze({ phase: 'handshake' });
export const AUTHENTICATING: ConnectionState = Object.freeze({ phase: 'authenticating' });
export const OPENING: ConnectionState = Object.freeze({ phase: 'opening' });
export const OPEN: ConnectionState = Object.freeze({ phase: 'open' });

/**
 * Only `degraded` may come before `session`, because a resume may take long while the store is
 * unhealthy.
 */
export function mayNotify(state: ConnectionState, code: string): boolean {
  switch (state.phase) {
    case 'open':
      return true;
    case 'opening':
    case 'resuming':
      return code === 'degraded';
    case 'handshake':
    case 'authenticating':
    case 'ended':
      return false;
  }
}
