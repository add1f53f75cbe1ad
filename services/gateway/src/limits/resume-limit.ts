/**
 * Rooms that a user's connections resume on this node. A resume is never refused, only delayed, so
 * that a client keeps its rooms. All connections of a user may return at once with all their rooms.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { LIMITS } from '@maru/protocol';
import { createKeyedLimit } from './keyed-limit.ts';

const USERS_MAX = 100_000;
/** How often a delayed resume checks whether its connection is still there. */
const CHECK_MS = 500;

/** Resolves when the room may be resumed, or the connection has closed. Undefined: at once. */
export type TakeResume = (session: {
  readonly user: { readonly id: string };
  readonly closed: boolean;
}) => Promise<void> | undefined;

export function createResumeLimit(options: { connectionsMax: number; now: () => number }): TakeResume {
  const rooms = LIMITS.roomsPerConnectionMax;
  const limit = createKeyedLimit({
    spec: { perSecond: rooms, burst: rooms * options.connectionsMax },
    keysMax: USERS_MAX,
    now: options.now,
  });
  return (session) => {
    const waitMs = limit.take(session.user.id);
    if (waitMs === 0) return undefined;
    return (async () => {
      for (let leftMs = waitMs; leftMs > 0 && !session.closed; ) {
        const stepMs = Math.min(leftMs, CHECK_MS);
        await pause(stepMs);
        leftMs -= stepMs;
        if (leftMs <= 0) leftMs = limit.take(session.user.id);
      }
    })();
  };
}
