/**
 * The sessions of this node: limits them by user, notifies all of them, and ends those whose tokens
 * expire.
 */
import type { Notice } from '@maru/protocol';
import type { EndReason } from './ends.ts';
import type { Session } from './session.ts';

/**
 * About once in this period all sessions are searched for tokens whose notice is due soon. Each
 * sweep then checks only those.
 */
const EXPIRY_SEARCH_MS = 60_000;
/**
 * Backlog of all connections of a node together. Above it, those with the largest backlogs are
 * ended.
 */
const QUEUED_BYTES_MAX = 256 * 1_048_576;

const NONE: readonly Session[] = [];

/** Is informed about the users who have connections on this node. */
export interface UserPresence {
  /** The user's first connection started. */
  came(userId: string): void;
  /** The user's last connection ended. */
  left(userId: string): void;
}

export class SessionRegistry {
  readonly #sessions = new Set<Session>();
  /** The sessions of each user. Few have more than one. */
  readonly #perUser = new Map<string, Session[]>();
  readonly #connectionsPerUserMax: number;
  /** Sessions whose notice is due before `#searchedUntilMs`, and whether they were notified. */
  readonly #expiring = new Map<Session, { notified: boolean }>();
  #searchedUntilMs = Number.NEGATIVE_INFINITY;
  readonly #advised = new WeakSet<Session>();
  #presence: UserPresence | undefined;

  constructor(options: { connectionsPerUserMax: number }) {
    this.#connectionsPerUserMax = options.connectionsPerUserMax;
  }

  get size(): number {
    return this.#sessions.size;
  }

  all(): Iterable<Session> {
    return this.#sessions;
  }

  /** Call it before the first session begins. */
  inform(presence: UserPresence): void {
    this.#presence = presence;
  }

  readonly sessionsOf = (userId: string): readonly Session[] => this.#perUser.get(userId) ?? NONE;

  readonly connectionsOf = (userId: string): number => this.sessionsOf(userId).length;

  isFull(userId: string): boolean {
    return this.connectionsOf(userId) >= this.#connectionsPerUserMax;
  }

  /** False if the user has the maximum of connections on this node. */
  add(session: Session): boolean {
    const { id } = session.user;
    if (this.isFull(id)) return false;
    this.#perUser.set(id, [...this.sessionsOf(id), session]);
    this.#sessions.add(session);
    if (this.connectionsOf(id) === 1) this.#presence?.came(id);
    this.#watchExpiry(session);
    return true;
  }

  /** The session has a new token. */
  renewed(session: Session): void {
    this.#expiring.delete(session);
    if (this.#sessions.has(session)) this.#watchExpiry(session);
  }

  remove(session: Session): void {
    if (!this.#sessions.delete(session)) return;
    this.#expiring.delete(session);
    const { id } = session.user;
    const others = this.sessionsOf(id).filter((one) => one !== session);
    if (others.length > 0) {
      this.#perUser.set(id, others);
      return;
    }
    this.#perUser.delete(id);
    this.#presence?.left(id);
  }

  /** Ends the sessions that match `isMeant`. Returns their number. */
  endAll(reason: EndReason, isMeant: (session: Session) => boolean): number {
    const meant = [...this.#sessions].filter(isMeant);
    for (const session of meant) session.end(reason);
    return meant.length;
  }

  notifyAll(notice: Notice): void {
    for (const session of this.#sessions) session.notify(notice);
  }

  /**
   * Advises up to `count` sessions to reconnect, at random times within `withinMs`. Returns how
   * many. A session that ignored the advice is not advised again.
   */
  advise(count: number, withinMs: number): number {
    let left = count;
    for (const session of this.#sessions) {
      if (left === 0) break;
      if (this.#advised.has(session) || session.state.phase !== 'open') continue;
      this.#advised.add(session);
      session.notify({ code: 'rebalance', reconnectInMs: Math.round(Math.random() * withinMs) });
      left--;
    }
    return count - left;
  }

  /**
   * Announces and ends expired tokens, and limits the backlog of all connections. Call it about
   * once a second.
   */
  sweep(nowMs: number): void {
    this.#searchExpiring(nowMs);
    for (const [session, expiry] of this.#expiring) {
      const { noticeAtMs, atMs } = session.expiry;
      if (nowMs < noticeAtMs) continue;
      if (!expiry.notified && session.state.phase === 'open') {
        expiry.notified = true;
        session.notify({ code: 'expiring' });
      }
      if (nowMs >= atMs) session.end('expired');
    }
    shedBacklog(this.#sessions);
  }

  #searchExpiring(nowMs: number): void {
    if (nowMs <= this.#searchedUntilMs) return;
    this.#searchedUntilMs = nowMs + EXPIRY_SEARCH_MS;
    for (const session of this.#sessions) if (!this.#expiring.has(session)) this.#watchExpiry(session);
  }

  #watchExpiry(session: Session): void {
    if (session.expiry.noticeAtMs <= this.#searchedUntilMs) this.#expiring.set(session, { notified: false });
  }
}

/**
 * Each connection has a limit of its own. This one is for many connections with a backlog at the
 * same time.
 */
function shedBacklog(sessions: Iterable<Session>): void {
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
    session.end('slow_consumer');
  }
}
