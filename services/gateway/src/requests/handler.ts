/** What handles the requests of clients. Each group of events has a file of its own. */
import type { RequestName, RequestOf } from '@maru/protocol';
import type { Reply } from '../rooms/subscriptions.ts';
import type { Session } from '../sessions/session.ts';

/** Rejects with MaruError for everything that the client may know. */
export type Handlers = {
  [N in RequestName]: (session: Session, request: RequestOf<N>) => Promise<Reply<unknown>>;
};

/** Rejects `not_found` if the user may not see the room. */
export type MayRead = (userId: string, room: string) => Promise<void>;
