/**
 * Decides whether our own WebSocket transport and shared heartbeats replace Engine.IO's. Before the
 * gateway listens, a self-test tries them over loopback. If it fails, the gateway uses the
 * library's transport and timers, and reports that in a metric and a log line.
 */
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import { type EngineServer, takeOver } from './engine-takeover.ts';
import { Heartbeats } from './heartbeats.ts';
import { runSelfTest } from './self-test.ts';

/** `unexpected`: the self-test failed. */
export const FAST_PATH_STATES = ['on', 'off', 'unexpected'] as const;
export type FastPathState = (typeof FAST_PATH_STATES)[number];

/** Batches written since the start: directly to a socket, or into Engine.IO's queue. */
export interface WriteCounts {
  direct: number;
  queued: number;
}

export class FastPath {
  #state: FastPathState = 'off';
  readonly writes: WriteCounts = { direct: 0, queued: 0 };
  readonly #engine: EngineServer;
  readonly #enabled: boolean;
  readonly #logger: Logger;
  readonly #now: () => number;
  #stopHeartbeats: (() => void) | undefined;

  /** `engine` is the Engine.IO server. */
  constructor(options: { enabled: boolean; engine: unknown; logger: Logger; now: () => number }) {
    this.#engine = options.engine as EngineServer;
    this.#enabled = options.enabled;
    this.#logger = options.logger;
    this.#now = options.now;
  }

  get state(): FastPathState {
    return this.#state;
  }

  /** Call this before the HTTP server listens. Never rejects. */
  async open(ticker: Ticker): Promise<void> {
    if (!this.#enabled) return;
    try {
      if (this.#engine.opts.perMessageDeflate) throw new Error('messages are compressed');
      await runSelfTest(this.#engine);
      takeOver(this.#engine);
      this.#stopHeartbeats = new Heartbeats(this.#engine, this.#now).start(ticker);
      this.#state = 'on';
    } catch (error) {
      this.#state = 'unexpected';
      this.#logger.warn({ reason: String(error) }, 'the fast path is not used: its self-test failed');
    }
  }

  /** Call this after the connections are closed. */
  close(): void {
    this.#stopHeartbeats?.();
  }
}
