/**
 * Whether WebSockets have our transport in the place of Engine.IO's, and connections are pinged by the beat. Before a gateway listens a server and a client of loopback try it out. Where that does not
 * go as expected the library's own is used, which a metric and a line in the log tell.
 */
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import { type EngineServer, takeOver } from './engine-takeover.ts';
import { Heartbeats } from './heartbeats.ts';
import { runSelfTest } from './self-test.ts';

/** `unexpected`: the rehearsal did not go as expected, so the library's transport is used. */
export const FAST_PATH_STATES = ['on', 'off', 'unexpected'] as const;
export type FastPathState = (typeof FAST_PATH_STATES)[number];

export class FastPath {
  #state: FastPathState = 'off';
  /** Times that something was given to a connection, since the start: past Engine.IO's queue, or into it. */
  readonly writes = { direct: 0, queued: 0 };
  readonly #engine: EngineServer;
  readonly #enabled: boolean;
  readonly #logger: Logger;
  readonly #now: () => number;
  #endHeartbeats: (() => void) | undefined;

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

  /** Before the server listens. Never rejects. */
  async open(beat: Ticker): Promise<void> {
    if (!this.#enabled) return;
    try {
      if (this.#engine.opts.perMessageDeflate) throw new Error('messages are compressed');
      await runSelfTest(this.#engine);
      takeOver(this.#engine);
      this.#endHeartbeats = new Heartbeats(this.#engine, this.#now).start(beat);
      this.#state = 'on';
    } catch (error) {
      this.#state = 'unexpected';
      this.#logger.warn({ reason: String(error) }, 'the fast path is not used: its rehearsal did not go as expected');
    }
  }

  /** After the connections. */
  close(): void {
    this.#endHeartbeats?.();
  }
}
