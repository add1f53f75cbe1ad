/**
 * Connections of this node that watch the presence of rooms. A watcher receives a snapshot first,
 * then differences.
 */
import { LIMITS, MaruError, type PresenceDiff, type PresenceSnapshot } from '@maru/protocol';
import type { Reply } from '../rooms/subscriptions.ts';
import type { Session } from '../sessions/session.ts';
import type { PresencePort } from './presence-port.ts';

export interface PresenceWatches {
  /** The caller has checked that the session may see the room. */
  watch(session: Session, room: string): Promise<Reply<PresenceSnapshot>>;
  unwatch(session: Session, room: string): void;
  unwatchAll(session: Session): void;
}

/** Maximum differences held for a watcher that has no snapshot yet. */
const HELD_MAX = 64;

export function createPresenceWatches(options: { port: PresencePort }): PresenceWatches {
  const { port } = options;
  /** Room → watcher → the differences held for it, or `live` after its snapshot. */
  const rooms = new Map<string, Map<Session, PresenceDiff[] | 'live'>>();

  const publish = (room: string, diff: PresenceDiff) => {
    for (const [session, state] of rooms.get(room) ?? []) {
      if (state === 'live') session.emit('presence', diff);
      else if (state.length < HELD_MAX) state.push(diff);
    }
  };

  const unwatch = (session: Session, room: string) => {
    session.watching?.delete(room);
    const watchers = rooms.get(room);
    if (watchers === undefined || !watchers.delete(session) || watchers.size > 0) return;
    rooms.delete(room);
    port.unwatch(room);
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
        // Without awaiting: if it cannot subscribe now, the port retries.
        port.watch(room, (diff) => publish(room, diff)).catch(() => {});
      }
      const held: PresenceDiff[] = [];
      watchers.set(session, held);
      session.watching.add(room);
      try {
        const data = await port.snapshot(room);
        return {
          data,
          afterwards: () => {
            if (watchers.get(session) !== held) return;
            watchers.set(session, 'live');
            for (const diff of held) session.emit('presence', diff);
          },
        };
      } catch (error) {
        if (watchers.get(session) === held) unwatch(session, room);
        throw error;
      }
    },
    unwatch,
    unwatchAll(session) {
      for (const room of [...(session.watching ?? [])]) unwatch(session, room);
    },
  };
}
