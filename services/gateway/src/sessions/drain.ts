/**
 * Drains the node: it stops accepting connections, then notifies each client when to reconnect, and
 * closes each transport 5 s after that time. The times are spread at a pace that the other nodes
 * can take.
 */
import type { SessionRegistry } from './registry.ts';

export interface Drain {
  /** True from the start of the drain. */
  readonly active: boolean;
  /** Resolves when every connection is closed. */
  run(): Promise<void>;
}

/** The time that a client has to follow the notice. */
const CLOSE_AFTER_MS = 5_000;
const CLOSED_POLL_MS = 100;

export function createDrain(options: {
  registry: SessionRegistry;
  /** The time that the balancer needs to notice that this node is not ready. */
  waitMs: number;
  perSecond: number;
  spreadMaxMs: number;
  refuseHandshakes: () => void;
}): Drain {
  const { registry } = options;
  let active = false;
  return {
    get active() {
      return active;
    },
    async run() {
      active = true;
      await pause(options.waitMs);
      options.refuseHandshakes();
      const sessions = [...registry.all()];
      const spreadMs = Math.min(options.spreadMaxMs, (sessions.length * 1_000) / options.perSecond);
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
