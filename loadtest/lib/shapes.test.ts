import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings, tokensFrom } from './settings.ts';
import { parseDurationMs, rampDelayMs, roomsOf, scheduleFrom, steadyScenario } from './shapes.ts';
import { composeText, sentAtMs } from './texts.ts';
import { correctness, noErrors, speed } from './thresholds.ts';

const SHAPE = { vus: 4, clientsPerVu: 5, rampMs: 2_000, sendMs: 12_000, settleMs: 10_000 };

test('durations are read as k6 reads them, and nonsense is not', () => {
  const good: Array<[string, number]> = [
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1_500],
    ['20', 20_000],
  ];
  for (const [text, expected] of good) assert.equal(parseDurationMs(text), expected, text);
  for (const text of ['', '0s', '-5s', 's', '5 s', '5d', 'soon', '5s!'])
    assert.equal(parseDurationMs(text), undefined, text);
});

test('clients come spread over the ramp, all before the sending begins', () => {
  const delays = Array.from({ length: 20 }, (_, index) => rampDelayMs(SHAPE, index));
  assert.equal(delays[0], 0);
  assert.ok(delays.every((delay, index) => index === 0 || delay > (delays[index - 1] ?? 0)));
  assert.ok((delays.at(-1) ?? 0) < SHAPE.rampMs);
  const schedule = scheduleFrom(SHAPE, 1_000);
  assert.deepEqual(schedule, { sendFromMs: 3_000, sendUntilMs: 15_000, settledByMs: 25_000 });
  assert.equal(steadyScenario(SHAPE).maxDuration, '54000ms');
});

test('neighbours share one room and differ in another', () => {
  const rooms = ['a', 'b', 'c', 'd'];
  assert.deepEqual(roomsOf(rooms, 0, 2), ['a', 'b']);
  assert.deepEqual(roomsOf(rooms, 3, 2), ['d', 'a']);
  assert.deepEqual(roomsOf(['a'], 7, 2), ['a']);
});

test('a run in which nobody was judged fails, though every count of faults is 0', () => {
  const thresholds = correctness({ members: 20 });
  for (const name of ['messages_missing', 'messages_duplicated', 'messages_out_of_order', 'acknowledged_lost'])
    assert.deepEqual(thresholds[name], ['count==0'], name);
  assert.deepEqual(thresholds.members_audited, ['count==20']);
  assert.deepEqual(noErrors().ack_errors, ['count==0']);
});

test('speed is judged only where somebody named a bound', () => {
  assert.deepEqual(speed({ deliveryP99MsMax: undefined }), {});
  assert.deepEqual(speed({ deliveryP99MsMax: 250 }), { delivery_latency: ['p(99)<=250'] });
});

test('settings have defaults, and a wrong one is named', () => {
  assert.deepEqual(readSettings({}), {
    url: 'http://localhost:8080',
    sendMs: undefined,
    settleMs: undefined,
    deliveryP99MsMax: undefined,
    tokensFile: undefined,
  });
  const told = readSettings({ MARU_LOADTEST_URL: 'https://chat.example/', MARU_LOADTEST_DURATION: '1m' });
  assert.equal(told.url, 'https://chat.example');
  assert.equal(told.sendMs, 60_000);
  assert.throws(() => readSettings({ MARU_LOADTEST_URL: 'chat.example' }), /MARU_LOADTEST_URL/);
  assert.throws(() => readSettings({ MARU_LOADTEST_SETTLE: 'soon' }), /MARU_LOADTEST_SETTLE/);
  assert.throws(() => readSettings({ MARU_LOADTEST_DELIVERY_P99_MS: '-1' }), /MARU_LOADTEST_DELIVERY_P99_MS/);
});

test('tokens are read from lines or JSON and taken in turn, and a bad one is not repeated', () => {
  assert.deepEqual(tokensFrom('a.b.c\nd.e.f\n\n', 3), ['a.b.c', 'd.e.f', 'a.b.c']);
  assert.deepEqual(tokensFrom('["a.b.c"]', 1), ['a.b.c']);
  assert.throws(() => tokensFrom('\n', 1), /no token/);
  assert.throws(
    () => tokensFrom('a.b.c\nhunter2', 1),
    (error: Error) => /entry 2/.test(error.message) && !error.message.includes('hunter2'),
  );
});

test('a text tells when it was sent; one of somebody else does not', () => {
  for (let n = 0; n < 12; n++) assert.equal(sentAtMs(composeText(n, 1_795_365_388_280)), 1_795_365_388_280);
  for (const text of [undefined, '', 'hello', 'maru-load soon 1 x']) assert.equal(sentAtMs(text), undefined);
});
