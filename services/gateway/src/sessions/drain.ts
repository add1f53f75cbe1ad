/** Drains the node: it stops accepting connections, then hands all of them over. */
import { setTimeout as pause } from 'node:timers/promises';
import type { HandOver } from './hand-over.ts';
import type { SessionRegistry } from './registry.ts';

export interface Drain {
  /** True from the start of the drain. */
  readonly active: boolean;
  /** Resolves when every connection is closed. */
  run(): Promise<void>;
}

export function createDrain(options: {
  registry: SessionRegistry;
  handOver: HandOver;
  /** The time that the balancer takes to notice that this node is not ready. */
  waitMs: number;
  refuseHandshakes: () => void;
}): Drain {
  let active = false;
  return {
    get active() {
      return active;
    },
    async run() {
      active = true;
      await pause(options.waitMs);
      options.refuseHandshakes();
      await options.handOver.run([...options.registry.all()]);
    },
  };
}
