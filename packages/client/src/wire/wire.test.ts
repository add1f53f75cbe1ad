/** Both wires, tested with Socket.IO's own server. */
import assert from 'node:assert/strict';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Server, type Socket } from 'socket.io';
import type { ConnectFailure } from '../refusal.ts';
import type { Transport } from '../transport-choice.ts';
import { readPacket } from './packets.ts';
import * as stock from './stock-wire.ts';
import * as web from './web-wire.ts';
import type { Wire, WireOptions } from './wire.ts';

let http: HttpServer;
let io: Server;
/** The server side of the newest connection. */
let peer: Socket;
let refusesUpgrades = false;

before(async () => {
  http = createServer();
  // Registered before Socket.IO's listener. Simulates a proxy that does not support WebSocket.
  http.on('upgrade', (_request, socket: NetSocket) => {
    if (refusesUpgrades) socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  io = new Server(http, { path: '/socket.io', pingInterval: 100, pingTimeout: 2_000 });
  io.use((socket, next) => {
    const { token } = socket.handshake.auth;
    if (token === 'good') return next();
    next(Object.assign(new Error('no entry'), { data: { code: 'unauthenticated' } }));
  });
  io.on('connection', (socket) => {
    peer = socket;
    socket.on('echo', (payload, ack) => ack({ ok: true, payload }));
    socket.on('typing', (payload) => socket.emit('typed', payload));
    socket.emit('session', { room: '방' });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  await io.close();
});

interface Heard {
  wire: Wire;
  events: Array<[string, unknown]>;
  refused: ConnectFailure[];
  closed: string[];
  packets: number;
  pings: number;
  /** When pings are due. */
  due: number[];
}

function open(openWire: (options: WireOptions) => Wire, transports: Transport[], token = 'good'): Heard {
  const heard: Omit<Heard, 'wire'> = { events: [], refused: [], closed: [], packets: 0, pings: 0, due: [] };
  const wire = openWire({
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    path: '/socket.io',
    transports,
    auth: () => ({ token }),
    onPacket: () => heard.packets++,
    onPing: () => heard.pings++,
    onPingsDue: (withinMs) => heard.due.push(withinMs),
    onUpgrade: () => {},
    onEvent: (name, payload) => heard.events.push([name, payload]),
    onRefused: (failure) => heard.refused.push(failure),
    onClosed: (reason) => heard.closed.push(reason),
  });
  return Object.assign(heard, { wire });
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const opened = async (heard: Heard): Promise<Heard> => {
  await until('the session', () => heard.events.length > 0);
  return heard;
};

for (const [name, { openWire }] of Object.entries({ stock, web })) {
  describe(`the ${name} wire`, () => {
    for (const transports of [['websocket', 'polling'], ['polling']] as Transport[][]) {
      it(`exchanges events and answers over ${transports[0]}`, async () => {
        const heard = await opened(open(openWire, transports));
        const { wire, events } = heard;
        assert.deepEqual([wire.isConnected(), wire.transport()], [true, transports[0]]);
        assert.deepEqual(events, [['session', { room: '방' }]]);
        const answers: unknown[] = [];
        for (const text of ['하나', 'two\n"', '']) wire.emit('echo', { text }, (answer) => answers.push(answer));
        await until('three answers', () => answers.length === 3);
        assert.deepEqual(
          answers,
          ['하나', 'two\n"', ''].map((text) => ({ ok: true, payload: { text } })),
        );
        await until('the event', () => {
          // Dropped, because a polling request is in flight.
          if (events.length === 1) wire.emitVolatile('typing', { room: 'a' });
          return events.length > 1;
        });
        assert.deepEqual(events[1], ['typed', { room: 'a' }]);
        await until('pings', () => heard.pings >= 2);
        assert.ok(heard.packets >= heard.pings + answers.length);
        wire.close();
        await until('the end on the server', () => peer.disconnected);
        assert.deepEqual([wire.isConnected(), heard.closed, heard.refused], [false, [], []]);
      });
    }

    it('reports the reason of a refusal', async () => {
      const { wire, refused, closed } = open(openWire, ['websocket', 'polling'], 'bad');
      await until('the refusal', () => refused.length > 0);
      assert.deepEqual([refused[0]?.message, refused[0]?.data], ['no entry', { code: 'unauthenticated' }]);
      assert.deepEqual([refused.length, closed, wire.isConnected()], [1, [], false]);
      wire.close();
    });

    it('distinguishes DISCONNECT of the server from a lost connection', async () => {
      const dismissed = await opened(open(openWire, ['websocket']));
      peer.disconnect(true);
      await until('the end', () => dismissed.closed.length > 0);
      assert.deepEqual(dismissed.closed, ['io server disconnect']);
      const lost = await opened(open(openWire, ['websocket']));
      (peer.conn.transport as unknown as { socket: { terminate(): void } }).socket.terminate();
      await until('the end', () => lost.closed.length > 0);
      assert.equal(lost.closed.length, 1);
      assert.notEqual(lost.closed[0], 'io server disconnect');
    });

    it('falls back to polling if a WebSocket is refused, and fails if polling is not allowed', async () => {
      refusesUpgrades = true;
      const engine = io.engine as unknown as { handleUpgrade: (...args: unknown[]) => void };
      const { handleUpgrade } = engine;
      engine.handleUpgrade = () => {};
      try {
        const heard = await opened(open(openWire, ['websocket', 'polling']));
        assert.equal(heard.wire.transport(), 'polling');
        heard.wire.close();
        const failed = open(openWire, ['websocket']);
        await until('the failure', () => failed.refused.length > 0);
        assert.deepEqual([failed.refused[0]?.data, failed.closed], [undefined, []]);
      } finally {
        refusesUpgrades = false;
        engine.handleUpgrade = handleUpgrade;
      }
    });

    it('calls nothing after it was closed', async () => {
      const early = open(openWire, ['websocket', 'polling']);
      early.wire.close();
      const heard = await opened(open(openWire, ['websocket']));
      heard.wire.emit('echo', {}, () => assert.fail('an answer after the end'));
      peer.emit('late', {});
      heard.wire.close();
      heard.wire.emitVolatile('typing', {});
      await until('the end on the server', () => peer.disconnected);
      assert.deepEqual([heard.events.length, heard.closed], [1, []]);
      assert.deepEqual([early.events, early.closed, early.refused, early.packets], [[], [], [], 0]);
    });
  });
}

it('tells when pings are due only where nothing else ends a connection without pings', async () => {
  const [own, theirs] = [
    await opened(open(web.openWire, ['websocket'])),
    await opened(open(stock.openWire, ['websocket'])),
  ];
  assert.deepEqual([own.due, theirs.due], [[2_100], []]);
  for (const { wire } of [own, theirs]) wire.close();
});

it('reads when pings are due, if the server says it', () => {
  const open = (text: string) => readPacket(`0${text}`);
  assert.deepEqual(open('{"sid":"a","pingInterval":25000,"pingTimeout":20000}'), {
    kind: 'open',
    pingsWithinMs: 45_000,
  });
  for (const text of ['', '{}', '{"pingInterval":25000}', '{"pingInterval":"1","pingTimeout":1}', 'null'])
    assert.deepEqual(open(text), { kind: 'open', pingsWithinMs: null }, text);
});

it('reads no packet that Socket.IO does not have', () => {
  for (const frame of ['', 'x', '7', '4', '49', '45-["a"]', '42', '42{}', '42[1]', '43[1]', '431'])
    assert.equal(readPacket(frame), null, frame);
  assert.deepEqual(readPacket('42["a"]'), { kind: 'event', name: 'a', payload: undefined });
  assert.deepEqual(readPacket('4317[{"ok":true}]'), { kind: 'answer', id: 17, answer: { ok: true } });
});
