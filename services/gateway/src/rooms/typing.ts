/** Typing: an ephemeral event. Its check is cheap, and repetitions are limited to one a second. */
import type { RequestOf } from '@maru/protocol';
import type { Ephemeral } from '../edge/ephemeral.ts';
import type { RoomLog } from '../log/room-log.ts';
import type { RoomSession } from './room-session.ts';

const REPEAT_MS = 1_000;

interface Last {
  room: string;
  active: boolean;
  thread: number | undefined;
  atMs: number;
}

export type Typing = (session: RoomSession, request: RequestOf<'typing'>) => Promise<void>;

export function createTyping(options: { log: RoomLog; ephemeral: Ephemeral; now: () => number }): Typing {
  /** The last event of each connection. Freed with the session. */
  const last = new WeakMap<RoomSession, Last>();
  return async (session, { room, active, thread }) => {
    // A connection that has joined may type. Otherwise ask the store, because the room may be
    // hidden.
    if (!session.subscriptions.has(room)) await options.log.read(room, { userId: session.user.id }, { mode: 'none' });
    const before = last.get(session);
    const nowMs = options.now();
    const isSame = before?.room === room && before.active === active && before.thread === thread;
    if (isSame && nowMs - before.atMs < REPEAT_MS) return;
    last.set(session, { room, active, thread, atMs: nowMs });
    const where = thread === undefined ? { room } : { room, thread };
    options.ephemeral.typing({ ...where, user: session.user, active }, session.id);
  };
}
