/** When our transport replaces the library's, and when it must not. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import type { Logger } from '@maru/service-kit';
import { poll } from '@maru/service-kit/testing';
import { Server } from 'socket.io';
import { createTicker } from '../cluster/ticker.ts';
import { FastPath } from './fast-path.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** The parts of Engine.IO that a test changes before the fast path opens. */
type Engine = {
  constructor: { prototype: Record<string, unknown> };
  opts: { wsEngine: unknown };
  createTransport: unknown;
};

/** Each reason for which the fast path was not used. */
const reasons: string[] = [];
const logger = { warn: ({ reason }: { reason: string }) => reasons.push(reason) } as unknown as Logger;

const now = () => performance.now();
const { constructor: LibraryTimer } = setTimeout(() => {}, 0);

/**
 * Returns the state, and whether a client's connection has our transport, is in our heartbeat
 * lists, and works.
 */
async function serve(options: { enabled?: boolean; change?: (engine: Engine) => void }) {
  const httpServer = createServer();
  const io = new Server(httpServer, { transports: ['polling', 'websocket'] });
  after(() => io.close());
  const engine = io.engine as unknown as Engine;
  options.change?.(engine);
  const path = new FastPath({ enabled: options.enabled ?? true, engine, logger, now });
  await path.open(createTicker({ periodMs: 500, logger, now }));
  after(() => path.close());
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const { port } = httpServer.address() as AddressInfo;
  let ours: boolean | undefined;
  let pinged: boolean | undefined;
  type Connection = { transport: unknown; pingIntervalTimer: object };
  io.engine.on('connection', ({ transport, pingIntervalTimer }: Connection) => {
    ours = transport instanceof WebSocketTransport;
    pinged = pingIntervalTimer.constructor !== LibraryTimer;
  });
  const received: string[] = [];
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  client.addEventListener('open', () => client.send('40'));
  client.addEventListener('message', ({ data }) => received.push(data));
  await poll('CONNECT', () => received.some((text) => text.startsWith('40{"sid"')));
  client.close();
  return { state: path.state, ours, pinged };
}

/** An Engine.IO whose servers have one replaced method. */
function otherEngine(engine: Engine, name: string, method: (...args: never[]) => unknown): void {
  class Other extends (engine.constructor as unknown as new (options: object) => object) {}
  Object.assign(Other.prototype, { [name]: method });
  Object.setPrototypeOf(engine, Other.prototype);
}

/** The expected connections if the fast path is not used. */
const off = { state: 'off', ours: false, pinged: false };
const unexpected = { ...off, state: 'unexpected' };

describe('the transport', () => {
  test('is ours if the self-test passes', async () =>
    assert.deepEqual(await serve({}), { state: 'on', ours: true, pinged: true }));

  test("is the library's if the fast path is off", async () => assert.deepEqual(await serve({ enabled: false }), off));

  test("is the library's if Engine.IO creates its transports differently", async () => {
    const change = (engine: Engine) => {
      const { handshake, createTransport } = engine.constructor.prototype as Record<
        string,
        (...args: never[]) => unknown
      >;
      otherEngine(engine, 'handshake', function (this: Engine, ...args: never[]) {
        this.createTransport = createTransport;
        return handshake?.apply(this, args);
      });
    };
    assert.deepEqual(await serve({ change }), unexpected);
  });

  test("is the library's if Engine.IO does not wait for pongs", async () => {
    const change = (engine: Engine) => {
      const { emit } = engine.constructor.prototype as { emit?: (...args: unknown[]) => unknown };
      otherEngine(engine, 'emit', function (this: Engine, event: string, ...args: object[]) {
        if (event === 'connection') Object.assign(args[0] as object, { resetPingTimeout: () => {} });
        return emit?.call(this, event, ...args);
      });
    };
    assert.deepEqual(await serve({ change }), unexpected);
    assert.match(reasons.at(-1) ?? '', /does not wait for a pong/);
  });

  test("is the library's if messages are compressed", async () => {
    const change = ({ opts }: Engine) => Object.assign(opts, { perMessageDeflate: {} });
    assert.deepEqual(await serve({ change }), unexpected);
  });

  test("is the library's, without a long wait, if a handshake fails", async () => {
    let refusals = 1;
    const change = ({ opts }: Engine) => {
      type WsServer = new (
        options: object,
      ) => { handleUpgrade(request: unknown, socket: Socket, ...rest: never[]): void };
      const Stock = opts.wsEngine as WsServer;
      opts.wsEngine = class extends Stock {
        override handleUpgrade(request: unknown, socket: Socket, ...rest: never[]): void {
          if (refusals-- > 0) socket.destroy();
          else super.handleUpgrade(request, socket, ...rest);
        }
      };
    };
    assert.deepEqual(await serve({ change }), unexpected);
    // The reason is the early close, not the deadline.
    assert.match(reasons.at(-1) ?? '', /closed too early/);
  });

  test("is the library's if ws ignores the WebSocket option", async () => {
    const change = ({ opts }: Engine) => {
      type WsServer = new (options: object) => { options: { WebSocket: unknown } };
      const Stock = opts.wsEngine as WsServer;
      const { WebSocket: own } = new Stock({ noServer: true }).options;
      opts.wsEngine = class extends Stock {
        constructor(options: object) {
          super({ ...options, WebSocket: own });
        }
      };
    };
    assert.deepEqual(await serve({ change }), unexpected);
  });
});

test('the self-test uses the same copies of Engine.IO and ws as Socket.IO', () => {
  const here = createRequire(import.meta.url);
  const bySocketIo = createRequire(here.resolve('socket.io'));
  assert.equal(here.resolve('engine.io'), bySocketIo.resolve('engine.io'));
  assert.equal(here.resolve('ws'), createRequire(here.resolve('engine.io')).resolve('ws'));
});
