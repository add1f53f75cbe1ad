/**
 * Checks whether a room exists. A join would create a missing public room, which must not happen
 * for a mistyped address.
 */
import { type ChatClient, hasSession, mayRetry, type Scheduler } from '@maru/client';
import { MaruError } from '@maru/protocol/errors';

/** Wait between two attempts, if the server does not say how long to wait. */
const RETRY_MS = 1_000;

export interface FindRoomOptions {
  client: Pick<ChatClient, 'readHistory' | 'on' | 'connection'>;
  scheduler: Pick<Scheduler, 'after'>;
  room: string;
  /** The room exists, or the user may not see whether it does. A join does not create it. */
  onFound: () => void;
  onMissing: () => void;
}

/** Asks until there is an answer. Returns a function that stops asking. */
export function findRoom({ client, scheduler, room, onFound, onMissing }: FindRoomOptions): () => void {
  let isOver = false;
  let isAsking = false;
  let cancelRetry = () => {};

  const end = (then: () => void) => {
    if (isOver) return;
    giveUp();
    then();
  };
  const failed = (error: unknown) => {
    isAsking = false;
    if (!(error instanceof MaruError)) throw error;
    const { code, retryAfterMs = RETRY_MS } = error;
    if (code === 'not_found') end(onMissing);
    else if (!mayRetry(error)) end(onFound);
    // Without a connection, the next connection asks again.
    else if (!isOver && isOnline()) cancelRetry = scheduler.after(retryAfterMs, ask);
  };
  const ask = () => {
    if (isOver || isAsking) return;
    cancelRetry();
    isAsking = true;
    client.readHistory({ room, limit: 1 }).then(() => end(onFound), failed);
  };
  const isOnline = () => hasSession(client.connection);

  const unsubscribe = client.on('session', ask);
  const giveUp = () => {
    isOver = true;
    cancelRetry();
    unsubscribe();
  };
  if (isOnline()) ask();
  return giveUp;
}
