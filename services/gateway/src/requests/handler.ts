/** The handlers of client requests. Each group of events has its own file. */
import type { RequestName, RequestOf, UserRef } from '@maru/protocol';
import type { CallEvent } from '@maru/protocol/calls';
import type { Reply } from '../rooms/reply.ts';
import type { WorkQueues } from '../rooms/work-queues.ts';
import type { Session } from '../sessions/session.ts';

/** The requester: the user of a connection or of an HTTP call. */
export interface Caller {
  readonly user: UserRef;
  readonly roles: readonly string[];
  /** Once the user is revoked, nothing more is stored. */
  readonly revoked: boolean;
  /** Of the connection. A call has none. */
  readonly id?: string;
  /** Rooms that the connection has joined. A call has none. */
  readonly subscriptions: Pick<ReadonlyMap<string, unknown>, 'has' | 'size'>;
  /** Of a connection. A call has queues of its own. */
  readonly queues: WorkQueues;
  /** Takes the additional cost of a large answer. */
  charge(bytes: number): void;
  /** Takes additional events for a request that costs as much as several. */
  chargeEvents(count: number): void;
}

/** Rejects with MaruError for all errors that the client may see. */
export type Handlers = {
  [N in RequestName]: (
    caller: N extends CallEvent ? Caller : Session,
    request: RequestOf<N>,
  ) => Promise<Reply<unknown>>;
};

/** Handlers of events that are also HTTP calls. */
export type CallHandlers = Pick<Handlers, CallEvent>;

/** Rejects `not_found` if the user may not see the room. */
export type MayRead = (userId: string, room: string) => Promise<void>;
