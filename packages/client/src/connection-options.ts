/** The options of a connection. */
import type { Notice, Position, ServerEvents, SessionData } from '@maru/protocol/events';
import type { ConnectionState } from './connection-state.ts';
import type { ClientLimits } from './limits.ts';
import type { ClientLogger } from './logger.ts';
import type { Scheduler } from './scheduler.ts';
import type { GetToken } from './token.ts';
import type { Transport } from './transport-choice.ts';

export interface ConnectionOptions {
  url: string;
  path: string;
  transports: Transport[];
  limits: ClientLimits;
  getToken: GetToken;
  program: string | undefined;
  /** The position delivered in each room. Called for each handshake. */
  resume: () => Record<string, Position>;
  scheduler: Scheduler;
  logger: ClientLogger;
  onState: (state: ConnectionState) => void;
  /** The session has begun. Requests are possible until `onLost`. */
  onSession: (session: SessionData) => void;
  /** `silent`: nothing arrived any more. Otherwise, the connection was closed or replaced. */
  onLost: (how: { silent: boolean }) => void;
  onNotice: (notice: Notice) => void;
  on: Pick<
    { [K in keyof ServerEvents]: (payload: Parameters<ServerEvents[K]>[0]) => void },
    'message' | 'typing' | 'presence' | 'room:event' | 'receipt' | 'inbox'
  >;
}
