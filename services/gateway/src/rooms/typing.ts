/** Typing: a signal that may be lost, so it is checked cheaply and repeated at most once a second. */
import type { RequestOf } from '@maru/protocol';
import type { Ephemeral } from '../edge/ephemeral.ts';
import type { RoomLog } from '../log/room-log.ts';
import type { Session } from '../sessions/session.ts';

const REPEAT_MS = 1_000;

export type Typing = (session: Session, request: RequestOf<'typing'>) => Promise<void>;

export function createTyping(options: { log: RoomLog; signals: Ephemeral; now: () => number }): Typing {
  /** What each connection signalled last, and when. Goes with the session. */
  const last = new WeakMap<Session, { room: string; active: boolean; atMs: number }>();
  return async (session, { room, active }) => {
    // Who has joined may type; of others the store is asked, as for everything about a room that may be hidden.
    if (!session.subscriptions.has(room)) await options.log.read(room, { userId: session.user.id }, { mode: 'none' });
    const before = last.get(session);
    const nowMs = options.now();
    if (before?.room === room && before.active === active && nowMs - before.atMs < REPEAT_MS) return;
    last.set(session, { room, active, atMs: nowMs });
    options.signals.typing({ room, user: session.user, active }, session.id);
  };
}
