/**
 * How Engine.IO is brought to use our WebSocket transport: by `wsEngine` and `createTransport` of its server, and the option `WebSocket` of ws. ws asks there
 * for a class derived from its own; ours has only what ws and Engine.IO call, which is why it is rehearsed first (`fast-path-rehearsal.ts`).
 */
import type { PingingServer } from './heartbeats.ts';
import { UpgradedSocket, WebSocketTransport } from './websocket-transport.ts';

type CreateTransport = (name: string, request: { websocket?: unknown }) => unknown;
type WebSocketServerClass = new (options: object) => object;
/** What is needed of an Engine.IO server. */
export interface EngineServer extends PingingServer {
  opts: PingingServer['opts'] & { wsEngine: WebSocketServerClass; perMessageDeflate?: unknown };
  createTransport: CreateTransport;
}

/** Before its HTTP server listens: that is when Engine.IO makes the WebSocket server that it uses. */
export function takeOver(engine: EngineServer): void {
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
}
