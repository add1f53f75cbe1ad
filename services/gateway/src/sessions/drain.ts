/**
 * Leaving: first nobody new comes, then everybody is told when to go, spread over time so that the other nodes can bear it, and
 * the transport of each is closed 5 s after its moment.
 */
import type { SessionRegistry } from './registry.ts';

export interface Drain {
  readonly underWay: boolean;
  /** Resolves when every connection was handed over. */
  run(): Promise<void>;
}

/** A client that follows the notice has so long to do it before the server closes its transport. */
const CLOSE_AFTER_MS = 5_000;

export function createDrain(options: {
  registry: SessionRegistry;
  /** For the balancer to see that this node is not ready. */
  waitMs: number;
  perSecond: number;
  spreadMaxMs: number;
  refuseHandshakes: () => void;
}): Drain {
  const { registry } = options;
  let underWay = false;
  return {
    get underWay() {
      return underWay;
    },
    async run() {
      underWay = true;
      await pause(options.waitMs);
      options.refuseHandshakes();
      const sessions = [...registry.all()];
      const spreadMs = Math.min(options.spreadMaxMs, (sessions.length * 1_000) / options.perSecond);
      const closings = sessions.map(async (session, index) => {
        // Even spacing over the whole spread, in no order that a client could tell.
        const reconnectInMs = Math.round((spreadMs * (index + Math.random())) / sessions.length);
        session.notice({ code: 'draining', reconnectInMs });
        for (let leftMs = reconnectInMs + CLOSE_AFTER_MS; leftMs > 0 && !session.closed; leftMs -= 100)
          await pause(100);
        session.cut('draining');
      });
      await Promise.all(closings);
    },
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
