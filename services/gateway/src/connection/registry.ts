/** The sessions of this node: counted by user, told of what concerns all, and ended when their tokens expire. */
import type { Notice } from '@maru/protocol';
import type { Session } from './session.ts';

export interface SessionRegistry {
  /** False where the user has as many connections on this node as it may. */
  add(session: Session): boolean;
  remove(session: Session): void;
  all(): Iterable<Session>;
  readonly size: number;
  noticeAll(notice: Notice): void;
  /** Advises some sessions, each at most once, to come again at a moment of their own within `withinMs`. Returns how many. */
  advise(count: number, withinMs: number): number;
  /** Announces and ends expired tokens; called about once a second. */
  sweep(nowMs: number): void;
}

/** How long before a token expires its connection is told. */
const EXPIRY_NOTICE_MS = 60_000;

export function createSessionRegistry(options: { connectionsPerUserMax: number }): SessionRegistry {
  const sessions = new Set<Session>();
  const perUser = new Map<string, number>();
  return {
    add(session) {
      const count = perUser.get(session.user.id) ?? 0;
      if (count >= options.connectionsPerUserMax) return false;
      perUser.set(session.user.id, count + 1);
      sessions.add(session);
      return true;
    },
    remove(session) {
      if (!sessions.delete(session)) return;
      const count = (perUser.get(session.user.id) ?? 1) - 1;
      if (count > 0) perUser.set(session.user.id, count);
      else perUser.delete(session.user.id);
    },
    all: () => sessions,
    get size() {
      return sessions.size;
    },
    noticeAll(notice) {
      for (const session of sessions) session.notice(notice);
    },
    advise(count, withinMs) {
      let left = count;
      for (const session of sessions) {
        if (left === 0) break;
        // One who ignored the advice is left alone.
        if (session.advisedToMove || !session.opened) continue;
        session.advisedToMove = true;
        session.notice({ code: 'rebalance', reconnectInMs: Math.round(Math.random() * withinMs) });
        left--;
      }
      return count - left;
    },
    sweep(nowMs) {
      for (const session of sessions) {
        const leftMs = session.expiresAtMs - nowMs;
        if (leftMs > EXPIRY_NOTICE_MS) continue;
        if (!session.expiryAnnounced && session.opened) {
          session.expiryAnnounced = true;
          session.notice({ code: 'expiring' });
        }
        // An end to stay away from: the client needs a new token first.
        if (leftMs <= 0) session.end();
      }
    },
  };
}
