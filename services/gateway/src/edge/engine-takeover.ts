/**
 * Makes Engine.IO use our WebSocket transport, through its server's `wsEngine` and
 * `createTransport`, and through the `WebSocket` option of ws. ws expects a class derived from its
 * own there. Ours has only what ws and Engine.IO call, so `self-test.ts` tries it first.
 */
import type { PingingServer } from './heartbeats.ts';
import { UpgradedSocket } from './upgraded-socket.ts';
import { WebSocketTransport } from './websocket-transport.ts';

type CreateTransport = (name: string, request: { websocket?: unknown }) => unknown;
type WebSocketServerClass = new (options: object) => object;
/** The used parts of an Engine.IO server. */
export interface EngineServer extends PingingServer {
  opts: PingingServer['opts'] & { wsEngine: WebSocketServerClass; perMessageDeflate?: unknown };
  createTransport: CreateTransport;
}

/** Call this before the HTTP server listens: then Engine.IO creates its WebSocket server. */
export function takeOver(engine: EngineServer): void {
  const LibraryServer = engine.opts.wsEngine;
  engine.opts.wsEngine = class extends LibraryServer {
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
