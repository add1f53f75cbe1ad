import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import { type ChatSession, type Ending, OpenFailed, openChatSession, type SessionHost } from './chat-session.ts';

const OPEN = '0{"sid":"g.1","upgrades":[],"pingInterval":25000,"pingTimeout":20000}';
const SESSION = '42["session",{"user":{"id":"u","name":"U","roles":[]},"sessionId":"s","limits":{},"rooms":{}}]';

/** A host whose other end and clock are the test's. */
function createScript() {
  let now = 1_000;
  let nextTimer = 1;
  const timers = new Map<number, { atMs: number; callback: () => void }>();
  const sent: string[] = [];
  let handlers: Parameters<SessionHost['connect']>[1] | undefined;
  const close = mock.fn();
  const host: SessionHost = {
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
    host,
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

function dial(script: Script): Promise<ChatSession> {
  entries.length = 0;
  endings.length = 0;
  return openChatSession({
    url: 'http://localhost:8080',
    token: 'the.to.ken',
    host: script.host,
    openTimeoutMs: 5_000,
    ackTimeoutMs: 2_000,
    onEntry: (entry) => entries.push(entry),
    onEnded: (ending) => endings.push(ending),
  });
}

async function opened(script: Script): Promise<ChatSession> {
  const dialling = dial(script);
  script.say(OPEN, '40{"sid":"s"}', SESSION);
  return dialling;
}

test('the token is sent after the opening, and the session event ends the dialling', async () => {
  const script = createScript();
  const session = await opened(script);
  assert.deepEqual(script.sent, ['40{"token":"the.to.ken"}']);
  assert.equal(session.data.user.id, 'u');
});

test('an opening packet that was lost on this side is not waited for', async () => {
  const script = createScript();
  const dialling = dial(script);
  script.open();
  script.pass(999);
  assert.deepEqual(script.sent, []);
  script.pass(1);
  script.say('40{"sid":"s"}', SESSION);
  await dialling;
  script.say(OPEN);
  assert.deepEqual(script.sent, ['40{"token":"the.to.ken"}']);
});

test('a position to resume from goes with the token', async () => {
  const script = createScript();
  const dialling = openChatSession({
    url: 'http://localhost:8080',
    token: 't',
    resume: { r: { epoch: 'e', seq: 3 } },
    host: script.host,
    openTimeoutMs: 5_000,
    ackTimeoutMs: 2_000,
    onEntry: () => {},
    onEnded: () => {},
  });
  script.say(OPEN, SESSION);
  await dialling;
  assert.deepEqual(script.sent, ['40{"token":"t","resume":{"r":{"epoch":"e","seq":3}}}']);
});

test('answers find their requests by id, whatever their order', async () => {
  const script = createScript();
  const session = await opened(script);
  const first = session.request('room:join', { room: 'a' });
  const second = session.request('room:leave', { room: 'b' });
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

test('an answer is heard before the entry that follows it in the same breath', async () => {
  const script = createScript();
  const session = await opened(script);
  const heard: string[] = [];
  const joining = session.request('room:join', { room: 'a' }, () => heard.push(`answer after ${entries.length}`));
  script.say('430[{"ok":true,"data":{}}]', '42["message",{"seq":1}]');
  await joining;
  assert.deepEqual(heard, ['answer after 0']);
  assert.equal(entries.length, 1);
});

test('a request that nobody answers times out, and its late answer is nobody’s', async () => {
  const script = createScript();
  const session = await opened(script);
  const asking = session.request('room:join', { room: 'a' });
  script.pass(2_000);
  assert.deepEqual(await asking, { ok: false, error: { code: 'timeout', retryable: true } });
  script.say('430[{"ok":true,"data":{}}]');
  assert.equal(session.ending, undefined);
});

test('every ping is answered, and silence longer than the heartbeat ends the session', async () => {
  const script = createScript();
  const session = await opened(script);
  script.pass(44_000);
  script.say('2');
  assert.equal(script.sent.at(-1), '3');
  script.pass(44_000);
  assert.equal(session.ending, undefined);
  script.pass(1_000);
  assert.deepEqual(endings, [{ kind: 'heartbeat_missed' }]);
});

test('a refusal, a silence and a bad frame while dialling each say what they were', async () => {
  const refusal = createScript();
  const refused = dial(refusal);
  refusal.say(OPEN, '44{"message":"unauthenticated","data":{"code":"unauthenticated"}}');
  await assert.rejects(refused, (error) => error instanceof OpenFailed && error.ending.kind === 'refused');

  const silence = createScript();
  const waiting = dial(silence);
  silence.pass(5_000);
  await assert.rejects(waiting, (error) => error instanceof OpenFailed && error.ending.kind === 'open_timeout');

  const nonsense = createScript();
  const confused = dial(nonsense);
  nonsense.say('<html>');
  await assert.rejects(confused, (error) => error instanceof OpenFailed && error.ending.kind === 'protocol_error');
});

test('an end answers what is open, is told once, and leaves no timer', async () => {
  for (const [kind, end] of [
    ['disconnected', (script: Script) => script.say('41')],
    ['transport_closed', (script: Script) => script.drop('reset')],
    ['protocol_error', (script: Script) => script.say(new ArrayBuffer(1))],
  ] as const) {
    const script = createScript();
    const session = await opened(script);
    const asking = session.request('room:join', { room: 'a' });
    end(script);
    script.drop('again');
    assert.deepEqual(await asking, { ok: false, error: { code: 'gone', retryable: true } }, kind);
    assert.deepEqual(
      endings.map((ending) => ending.kind),
      [kind],
    );
    assert.equal(script.timers.size, 0);
    const late = await session.request('room:leave', { room: 'a' });
    assert.equal(late.ok, false);
  }
});
