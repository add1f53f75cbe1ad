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
  /** Announces and ends expired tokens, and bounds what is queued for all together; called about once a second. */
  sweep(nowMs: number): void;
}

/** How long before a token expires its connection is told. */
const EXPIRY_NOTICE_MS = 60_000;
/** All sessions are looked through for those whose tokens expire this much later, so about as often; each sweep then asks those alone. */
const EXPIRY_OUTLOOK_MS = 60_000;

/** Bytes queued for all connections of a node together; above it those that are furthest behind are cut. */
const QUEUED_BYTES_MAX = 256 * 1_048_576;

export function createSessionRegistry(options: { connectionsPerUserMax: number }): SessionRegistry {
  const sessions = new Set<Session>();
  const perUser = new Map<string, number>();
  /** Whose tokens expire by `outlookUntilMs`: all of those, whatever the clock did since. */
  const expiring = new Set<Session>();
  let outlookUntilMs = Number.NEGATIVE_INFINITY;
  return {
    add(session) {
      const count = perUser.get(session.user.id) ?? 0;
      if (count >= options.connectionsPerUserMax) return false;
      perUser.set(session.user.id, count + 1);
      sessions.add(session);
      if (session.expiresAtMs <= outlookUntilMs) expiring.add(session);
      return true;
    },
    remove(session) {
      if (!sessions.delete(session)) return;
      expiring.delete(session);
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
      if (nowMs + EXPIRY_NOTICE_MS > outlookUntilMs) {
        outlookUntilMs = nowMs + EXPIRY_NOTICE_MS + EXPIRY_OUTLOOK_MS;
        for (const session of sessions) if (session.expiresAtMs <= outlookUntilMs) expiring.add(session);
      }
      for (const session of expiring) {
        const leftMs = session.expiresAtMs - nowMs;
        if (leftMs > EXPIRY_NOTICE_MS) continue;
        if (!session.expiryAnnounced && session.opened) {
          session.expiryAnnounced = true;
          session.notice({ code: 'expiring' });
        }
        // An end to stay away from: the client needs a new token first.
        if (leftMs <= 0) session.end();
      }
      shed(sessions);
    },
  };
}

/** Each connection has a bound of its own; this one is for many that are behind at the same time. */
function shed(sessions: Iterable<Session>): void {
  const behind: Array<{ session: Session; bytes: number }> = [];
  let queued = 0;
  for (const session of sessions) {
    const bytes = session.queuedBytes;
    if (bytes === 0) continue;
    queued += bytes;
    behind.push({ session, bytes });
  }
  if (queued <= QUEUED_BYTES_MAX) return;
  behind.sort((a, b) => b.bytes - a.bytes);
  for (const { session, bytes } of behind) {
    if (queued <= QUEUED_BYTES_MAX) return;
    queued -= bytes;
    session.cut('slow_consumer');
  }
}
