import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_LIMITS } from './limits.ts';
import { openSocketConnection, type SocketEnd } from './socket-connection.ts';
import { createFakeScheduler } from './testing/fake-scheduler.ts';
import type { WireOptions } from './wire/wire.ts';

const PINGS_WITHIN_MS = 45_000;

/** A connection with a session, on a wire without a server. */
function connect() {
  const clock = createFakeScheduler();
  const ends: SocketEnd[] = [];
  const sent: Array<{ name: string; ack: (answer: unknown) => void }> = [];
  let on: WireOptions | undefined;
  openSocketConnection({
    ...{ url: 'http://localhost', path: '/socket.io/', transports: ['websocket'], connectTimeoutMs: 8_000 },
    ...{ limits: DEFAULT_LIMITS, scheduler: clock.scheduler },
    auth: () => ({ token: 't', resume: {}, retries: true }),
    on: { session: () => {} } as never,
    onEnd: (end) => void ends.push(end),
    openWire(options) {
      on = options;
      return {
        isConnected: () => true,
        transport: () => 'websocket',
        emit: (name, _payload, ack) => void sent.push({ name, ack }),
        emitVolatile: () => {},
        receivedBytes: () => null,
        close: () => {},
      };
    },
  });
  assert.ok(on !== undefined);
  on.onPacket();
  on.onPingsDue(PINGS_WITHIN_MS);
  on.onEvent('session', {});
  return { clock, ends, sent, wire: on };
}

it('probes an idle connection when the pings of the server stop, and ends without an answer', () => {
  const { clock, ends, sent, wire } = connect();
  for (let i = 0; i < 4; i++) {
    clock.pass(25_000);
    wire.onPacket();
    wire.onPing();
  }
  assert.deepEqual([sent.length, ends], [0, []]);
  clock.pass(PINGS_WITHIN_MS);
  assert.deepEqual([sent.map(({ name }) => name), ends], [['room:leave'], []]);
  clock.pass(DEFAULT_LIMITS.probeTimeoutMs);
  assert.deepEqual(ends, [{ kind: 'silent', transport: 'websocket', hung: false }]);
  clock.pass(10 * PINGS_WITHIN_MS);
  assert.deepEqual([sent.length, ends.length, clock.timers()], [1, 1, 0]);
});

it('keeps a connection without pings that answers', () => {
  const { clock, ends, sent, wire } = connect();
  for (let i = 1; i <= 3; i++) {
    clock.pass(PINGS_WITHIN_MS);
    assert.equal(sent.length, i);
    wire.onPacket();
    sent.at(-1)?.ack({ ok: false, error: { code: 'invalid', message: '', retryable: false } });
  }
  assert.deepEqual(ends, []);
});

it('ends a silent connection of a hidden page, whose timers are late', () => {
  const { clock, ends, sent } = connect();
  for (let minutes = 0; minutes < 3; minutes++) {
    clock.stop(60_000);
    clock.pass(0);
  }
  assert.deepEqual([sent.length, ends.map(({ kind }) => kind)], [1, ['silent']]);
});
