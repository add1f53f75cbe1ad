/**
 * Hands connections over: notifies each client when to reconnect, and closes its transport 5 s
 * after that time. The times are spread, so that other nodes are not overloaded.
 */
import type { Session } from './session.ts';

export interface HandOver {
  /** Resolves when all these connections are closed. */
  run(sessions: readonly Session[]): Promise<void>;
}

/** The time that a client has to follow the notice. */
const CLOSE_AFTER_MS = 5_000;
const CLOSED_POLL_MS = 100;

export function createHandOver({ perSecond, spreadMaxMs }: { perSecond: number; spreadMaxMs: number }): HandOver {
  return {
    async run(sessions) {
      const spreadMs = Math.min(spreadMaxMs, (sessions.length * 1_000) / perSecond);
      const closings = sessions.map(async (session, index) => {
        // Evenly spread, with a random part.
        const reconnectInMs = Math.round((spreadMs * (index + Math.random())) / sessions.length);
        session.notify({ code: 'draining', reconnectInMs });
        const closeAfterMs = reconnectInMs + CLOSE_AFTER_MS;
        for (let waitedMs = 0; waitedMs < closeAfterMs && !session.closed; waitedMs += CLOSED_POLL_MS)
          await pause(CLOSED_POLL_MS);
        session.end('draining');
      });
      await Promise.all(closings);
    },
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
