/**
 * Connections of this node that watch the presence of rooms. A watcher receives a snapshot first,
 * then differences.
 */
import { LIMITS, MaruError, type PresenceDiff, type PresenceSnapshot } from '@maru/protocol';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { Reply } from '../rooms/reply.ts';
import type { Session } from '../sessions/session.ts';
import type { PresencePort } from './presence-port.ts';
import { createWatchChecks } from './watch-checks.ts';

export interface PresenceWatches {
  /** The caller has checked that the session may see the room. */
  watch(session: Session, room: string): Promise<Reply<PresenceSnapshot>>;
  unwatch(session: Session, room: string): void;
  unwatchAll(session: Session): void;
  /**
   * Ends watches of users who may no longer see the room. Call it about once a second. Delivery
   * does this at once for connections that have joined the room. For the others see
   * `createWatchChecks`.
   */
  recheck(): Promise<void>;
}

/** Maximum differences held for a watcher that has no snapshot yet. */
const HELD_MAX = 64;

interface Watcher {
  /** A snapshot was sent, so differences apply to it. */
  answered: boolean;
  /** Number of snapshot reads in flight for the watcher. Differences wait for them. */
  asking: number;
  held: PresenceDiff[];
}

export function createPresenceWatches(options: {
  port: PresencePort;
  /** Rejects if the user may not see the room. */
  mayRead: (userId: string, room: string) => Promise<void>;
  /** Runs now, or later after a pause of the process. */
  pass?: PauseGate['pass'];
}): PresenceWatches {
  const { port, mayRead, pass = (run) => run() } = options;
  const rooms = new Map<string, Map<Session, Watcher>>();
  const nextChecks = createWatchChecks(rooms);

  const publish = (room: string, diff: PresenceDiff) => {
    for (const [session, { asking, held }] of rooms.get(room) ?? []) {
      if (asking === 0) session.emit('presence', diff);
      else if (held.length < HELD_MAX) held.push(diff);
    }
  };

  const unwatch = (session: Session, room: string) => {
    session.watching?.delete(room);
    const watchers = rooms.get(room);
    if (watchers === undefined || !watchers.delete(session) || watchers.size > 0) return;
    rooms.delete(room);
    port.unwatch(room);
  };

  /** A snapshot was sent or refused. A refusal does not end an existing watch. */
  const settle = (session: Session, room: string, watcher: Watcher) => {
    watcher.asking--;
    if (watcher.asking > 0 || rooms.get(room)?.get(session) !== watcher) return;
    if (!watcher.answered) return unwatch(session, room);
    for (const diff of watcher.held.splice(0)) session.emit('presence', diff);
  };

  return {
    async watch(session, room) {
      if (session.closed) throw new MaruError('unavailable', 'the connection is gone');
      session.watching ??= new Set();
      if (!session.watching.has(room) && session.watching.size >= LIMITS.roomsPerConnectionMax) {
        throw new MaruError('conflict', `a connection watches at most ${LIMITS.roomsPerConnectionMax} rooms`);
      }
      let watchers = rooms.get(room);
      if (watchers === undefined) {
        watchers = new Map();
        rooms.set(room, watchers);
        // Do not await it: if it cannot subscribe now, the port retries.
        port.watch(room, (diff) => pass(() => publish(room, diff))).catch(() => {});
      }
      const watcher = watchers.get(session) ?? { answered: false, asking: 0, held: [] };
      watchers.set(session, watcher);
      watcher.asking++;
      session.watching.add(room);
      try {
        const data = await port.snapshot(room);
        return {
          data,
          afterwards: () => {
            watcher.answered = true;
            settle(session, room, watcher);
          },
        };
      } catch (error) {
        settle(session, room, watcher);
        throw error;
      }
    },
    async recheck() {
      await Promise.all(
        nextChecks().map(({ room, userId, sessions }) =>
          mayRead(userId, room).catch((error: unknown) => {
            if (!(error instanceof MaruError) || error.toBody().retryable) return;
            for (const session of sessions) unwatch(session, room);
          }),
        ),
      );
    },
    unwatch,
    unwatchAll(session) {
      for (const room of [...(session.watching ?? [])]) unwatch(session, room);
    },
  };
}
