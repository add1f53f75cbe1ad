/**
 * Has Engine.IO use our WebSocket transport in the place of its own. By three seams of the library, named here and nowhere else: its option
 * `wsEngine`, the option `WebSocket` of ws, and `createTransport`. Whether they are what we take them for is tried out before a gateway listens, on a
 * server and a client of loopback; where they are not the library's own transport is used, which a metric and a line in the log tell.
 */
import type { Logger } from '@maru/service-kit';
import { type EngineServer, rehearse } from './fast-path-rehearsal.ts';
import { UpgradedSocket, WebSocketTransport } from './websocket-transport.ts';

/** `unexpected`: the library works otherwise than this file expects, so everything takes its own road. */
export const FAST_PATH_STATES = ['on', 'off', 'unexpected'] as const;
export type FastPathState = (typeof FAST_PATH_STATES)[number];

export class FastPath {
  #state: FastPathState = 'off';
  /** Times that packets for many were written to a connection by each road, since the start. */
  readonly writes = { direct: 0, queued: 0 };
  readonly #engine: EngineServer;
  readonly #enabled: boolean;
  readonly #logger: Logger;

  /** `engine` is the Engine.IO server. */
  constructor(options: { enabled: boolean; engine: unknown; logger: Logger }) {
    this.#engine = options.engine as EngineServer;
    this.#enabled = options.enabled;
    this.#logger = options.logger;
  }

  get state(): FastPathState {
    return this.#state;
  }

  /** Before the server listens. Never rejects. */
  async open(): Promise<void> {
    if (!this.#enabled) return;
    try {
      if (this.#engine.opts.perMessageDeflate) throw new Error('messages are compressed');
      await rehearse(this.#engine, takeOver);
      takeOver(this.#engine);
      this.#state = 'on';
    } catch (error) {
      this.#state = 'unexpected';
      this.#logger.warn(
        { reason: String(error) },
        'the fast path is not used: a library works otherwise than expected',
      );
    }
  }
}

/** Bytes that the network socket below a transport of the library has not passed on; 0 where there is none. */
export const streamBytes = (transport: unknown): number =>
  (transport as { socket?: { _socket?: { writableLength?: number } } }).socket?._socket?.writableLength ?? 0;

function takeOver(engine: EngineServer): void {
  const Stock = engine.opts.wsEngine;
  engine.opts.wsEngine = class extends Stock {
    constructor(options: object) {
      super({ ...options, WebSocket: UpgradedSocket });
    }
  };
  const createTransport = engine.createTransport.bind(engine);
  engine.createTransport = (name, request) =>
    request.websocket instanceof UpgradedSocket
      ? new WebSocketTransport(request as never)
      : createTransport(name, request);
  engine.init();
}
