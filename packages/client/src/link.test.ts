import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_LIMITS } from './limits.ts';
import { Link } from './link.ts';
import { createFakeScheduler } from './testing/fake-scheduler.ts';

const { probeAfterMs, probeTimeoutMs, probeTimeoutMaxMs, requestTimeoutMs, onlineProbeTimeoutMs } = DEFAULT_LIMITS;
const OK = { ok: true, data: {} };
const INVALID = { ok: false, error: { code: 'invalid', message: 'no', retryable: false } };

/** A link whose server answers only when the test says so. */
function setUp(bytesAreVisible = false) {
  const clock = createFakeScheduler();
  const sent: Array<{ name: string; payload: object; ack: (answer: unknown) => void }> = [];
  const done: string[] = [];
  let silentAtMs: number | null = null;
  let bytes = 0;
  const link = new Link({
    send: (name, payload, ack) => void sent.push({ name, payload, ack }),
    receivedBytes: () => (bytesAreVisible ? bytes : null),
    onSilent: () => {
      silentAtMs = clock.scheduler.now();
    },
    scheduler: clock.scheduler,
    limits: DEFAULT_LIMITS,
  });
  const request = (name: string) =>
    link.request('history:read', { room: name }, (result) => {
      done.push(`${name} ${result.ok ? 'ok' : result.error.code}`);
    });
  const probes = () => sent.filter(({ name }) => name === 'room:leave');
  const receive = (count: number) => {
    bytes += count;
  };
  return { clock, link, request, receive, sent, done, probes, silentAtMs: () => silentAtMs };
}

it('uses an answer that comes late', () => {
  const { clock, request, sent, done, probes, silentAtMs } = setUp();
  request('a');
  clock.pass(probeAfterMs + probeTimeoutMs - 100);
  assert.equal(probes().length, 1);
  sent[0]?.ack(OK);
  probes()[0]?.ack(INVALID);
  clock.pass(60_000);
  assert.deepEqual(done, ['a ok']);
  assert.equal(silentAtMs(), null);
  assert.equal(clock.timers(), 0);
});

it('sends no probe while requests are answered quickly', () => {
  const { clock, request, sent, probes } = setUp();
  for (let i = 0; i < 20; i++) {
    request('a');
    clock.pass(500);
    sent.at(-1)?.ack(OK);
  }
  clock.pass(10_000);
  assert.equal(probes().length, 0);
});

it('finds a connection silent if neither the request nor the probe is answered', () => {
  const { clock, request, silentAtMs } = setUp();
  request('a');
  clock.pass(60_000);
  assert.equal(silentAtMs(), probeAfterMs + probeTimeoutMs);
});

it('answers waiting requests with unavailable, once, when the connection ends', () => {
  const { clock, link, request, sent, done } = setUp();
  request('a');
  request('b');
  link.close();
  for (const { ack } of sent) ack(OK);
  clock.pass(60_000);
  assert.deepEqual(done, ['a unavailable', 'b unavailable']);
  assert.equal(clock.timers(), 0);
});

it('keeps waiting while packets arrive, up to a maximum', () => {
  const { clock, link, request, silentAtMs } = setUp();
  request('a');
  while (silentAtMs() === null && clock.scheduler.now() < 120_000) {
    clock.pass(1_000);
    link.heard();
  }
  assert.ok(Number(silentAtMs()) >= probeTimeoutMaxMs);
  assert.ok(Number(silentAtMs()) <= probeAfterMs + probeTimeoutMaxMs + 3_000);
});

it('keeps waiting while parts of a frame arrive', () => {
  const { clock, request, receive, sent, done, silentAtMs } = setUp(true);
  request('a');
  for (let i = 0; i < 300; i++) {
    receive(100);
    clock.pass(1_000);
  }
  assert.equal(silentAtMs(), null);
  sent[0]?.ack(OK);
  assert.deepEqual(done, ['a ok']);
  // The probe behind it is no longer answered.
  clock.pass(probeTimeoutMaxMs);
  assert.notEqual(silentAtMs(), null);
});

it('fails a request if a later probe was answered long ago', () => {
  const { clock, request, done, probes, silentAtMs } = setUp();
  request('a');
  for (let i = 0; i < 20 && done.length === 0; i++) {
    clock.pass(1_000);
    probes().at(-1)?.ack(INVALID);
  }
  assert.deepEqual(done, ['a unavailable']);
  assert.equal(silentAtMs(), null);
  assert.ok(clock.scheduler.now() >= probeAfterMs + requestTimeoutMs);
});

it("restarts the server's timeout after the process was stopped", () => {
  const { clock, request, probes, done, sent, silentAtMs } = setUp();
  request('a');
  clock.pass(probeAfterMs + 500);
  clock.stop(60_000);
  clock.pass(probeTimeoutMs - 1_000);
  assert.equal(silentAtMs(), null);
  sent[0]?.ack(OK);
  probes()[0]?.ack(INVALID);
  assert.deepEqual(done, ['a ok']);
});

it('detects a silent connection sooner after the network came back', () => {
  const { clock, link, silentAtMs, probes } = setUp();
  link.probe(probeTimeoutMs);
  clock.pass(500);
  link.probe(onlineProbeTimeoutMs);
  clock.pass(10_000);
  assert.equal(probes().length, 1);
  assert.ok(Number(silentAtMs()) <= 500 + onlineProbeTimeoutMs);
});

it('keeps a connection that answers a probe, even without requests', () => {
  const { clock, link, probes, silentAtMs } = setUp();
  link.probe(onlineProbeTimeoutMs);
  clock.pass(onlineProbeTimeoutMs - 1);
  probes()[0]?.ack(INVALID);
  clock.pass(60_000);
  assert.equal(silentAtMs(), null);
  assert.equal(link.hasAnswered, true);
  assert.equal(clock.timers(), 0);
});
