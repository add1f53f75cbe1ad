import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import { type Connection, type Ending, OpenFailed, openConnection } from './connection.ts';
import type { Runtime } from './runtime.ts';

const OPEN = '0{"sid":"g.1","upgrades":[],"pingInterval":25000,"pingTimeout":20000}';
const SESSION = '42["session",{"user":{"id":"u","name":"U","roles":[]},"sessionId":"s","limits":{},"rooms":{}}]';

/** A runtime with a fake server and a fake clock that the test controls. */
function createScript() {
  let now = 1_000;
  let nextTimer = 1;
  const timers = new Map<number, { atMs: number; callback: () => void }>();
  const sent: string[] = [];
  let handlers: Parameters<Runtime['connect']>[1] | undefined;
  const close = mock.fn();
  const runtime: Runtime = {
    connect(_url, given) {
      handlers = given;
      return { send: (frame) => sent.push(frame), close };
    },
    setTimeout(callback, delayMs) {
      timers.set(nextTimer, { atMs: now + delayMs, callback });
      return nextTimer++;
    },
    clearTimeout: (timer) => timers.delete(timer),
    now: () => now,
  };
  return {
    runtime,
    sent,
    close,
    timers,
    say: (...frames: unknown[]) => {
      for (const frame of frames) handlers?.frame(frame, now);
    },
    open: () => handlers?.opened(),
    drop: (detail: string) => handlers?.closed(detail),
    pass(ms: number) {
      now += ms;
      for (const [id, { atMs, callback }] of [...timers]) if (atMs <= now && timers.delete(id)) callback();
    },
  };
}

type Script = ReturnType<typeof createScript>;

const entries: Entry[] = [];
const endings: Ending[] = [];

function start(script: Script): Promise<Connection> {
  entries.length = 0;
  endings.length = 0;
  return openConnection({
    url: 'http://localhost:8080',
    token: 'the.to.ken',
    runtime: script.runtime,
    openTimeoutMs: 5_000,
    ackTimeoutMs: 2_000,
    onEntry: (entry) => entries.push(entry),
    onEnded: (ending) => endings.push(ending),
  });
}

async function opened(script: Script): Promise<Connection> {
  const opening = start(script);
  script.say(OPEN, '40{"sid":"s"}', SESSION);
  return opening;
}

test('sends the token after the open packet, and opens with the session event', async () => {
  const script = createScript();
  const connection = await opened(script);
  assert.deepEqual(script.sent, ['40{"token":"the.to.ken"}']);
  assert.equal(connection.data.user.id, 'u');
});

test('sends CONNECT after a second without an open packet', async () => {
  const script = createScript();
  const opening = start(script);
  script.open();
  script.pass(999);
  assert.deepEqual(script.sent, []);
  script.pass(1);
  script.say('40{"sid":"s"}', SESSION);
  await opening;
  script.say(OPEN);
  assert.deepEqual(script.sent, ['40{"token":"the.to.ken"}']);
});

test('sends the positions with the token', async () => {
  const script = createScript();
  const opening = openConnection({
    url: 'http://localhost:8080',
    token: 't',
    resume: { r: { epoch: 'e', seq: 3 } },
    runtime: script.runtime,
    openTimeoutMs: 5_000,
    ackTimeoutMs: 2_000,
    onEntry: () => {},
    onEnded: () => {},
  });
  script.say(OPEN, SESSION);
  await opening;
  assert.deepEqual(script.sent, ['40{"token":"t","resume":{"r":{"epoch":"e","seq":3}}}']);
});

test('matches answers to requests by id, in any order', async () => {
  const script = createScript();
  const connection = await opened(script);
  const first = connection.request('room:join', { room: 'a' });
  const second = connection.request('room:leave', { room: 'b' });
  assert.deepEqual(script.sent.slice(1), ['420["room:join",{"room":"a"}]', '421["room:leave",{"room":"b"}]']);
  script.pass(30);
  script.say(
    '431[{"ok":false,"error":{"code":"not_found","message":"","retryable":false}}]',
    '430[{"ok":true,"data":{}}]',
  );
  assert.deepEqual(await first, { ok: true, data: {}, tookMs: 30 });
  const refused = await second;
  assert.equal(refused.ok === false && refused.error.code, 'not_found');
});

test('reports an answer before the entry that follows it immediately', async () => {
  const script = createScript();
  const connection = await opened(script);
  const order: string[] = [];
  const joining = connection.request('room:join', { room: 'a' }, () => order.push(`answer after ${entries.length}`));
  script.say('430[{"ok":true,"data":{}}]', '42["message",{"seq":1}]');
  await joining;
  assert.deepEqual(order, ['answer after 0']);
  assert.equal(entries.length, 1);
});

test('a request without an answer times out, and its late answer is ignored', async () => {
  const script = createScript();
  const connection = await opened(script);
  const requesting = connection.request('room:join', { room: 'a' });
  script.pass(2_000);
  assert.deepEqual(await requesting, { ok: false, error: { code: 'timeout', retryable: true } });
  script.say('430[{"ok":true,"data":{}}]');
  assert.equal(connection.ending, undefined);
});

test('answers every ping, and ends when pings stop', async () => {
  const script = createScript();
  const connection = await opened(script);
  script.pass(44_000);
  script.say('2');
  assert.equal(script.sent.at(-1), '3');
  script.pass(44_000);
  assert.equal(connection.ending, undefined);
  script.pass(1_000);
  assert.deepEqual(endings, [{ kind: 'heartbeat_missed' }]);
});

test('a failed opening reports a refusal, a timeout or a bad frame', async () => {
  const refusal = createScript();
  const refused = start(refusal);
  refusal.say(OPEN, '44{"message":"unauthenticated","data":{"code":"unauthenticated"}}');
  await assert.rejects(refused, (error) => error instanceof OpenFailed && error.ending.kind === 'refused');

  const silence = createScript();
  const waiting = start(silence);
  silence.pass(5_000);
  await assert.rejects(waiting, (error) => error instanceof OpenFailed && error.ending.kind === 'open_timeout');

  const badFrame = createScript();
  const malformed = start(badFrame);
  badFrame.say('<html>');
  await assert.rejects(malformed, (error) => error instanceof OpenFailed && error.ending.kind === 'protocol_error');
});

test('an end resolves open requests, is reported once, and leaves no timer', async () => {
  for (const [kind, end] of [
    ['disconnected', (script: Script) => script.say('41')],
    ['transport_closed', (script: Script) => script.drop('reset')],
    ['protocol_error', (script: Script) => script.say(new ArrayBuffer(1))],
  ] as const) {
    const script = createScript();
    const connection = await opened(script);
    const requesting = connection.request('room:join', { room: 'a' });
    end(script);
    script.drop('again');
    assert.deepEqual(await requesting, { ok: false, error: { code: 'gone', retryable: true } }, kind);
    assert.deepEqual(
      endings.map((ending) => ending.kind),
      [kind],
    );
    assert.equal(script.timers.size, 0);
    const late = await connection.request('room:leave', { room: 'a' });
    assert.equal(late.ok, false);
  }
});
