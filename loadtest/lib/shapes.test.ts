import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Catalogue, readSettings, tokensFrom } from './settings.ts';
import {
  clientsOf,
  k6Scenario,
  nextSendMs,
  parseDurationMs,
  partOf,
  phaseAt,
  phasedShape,
  rampDelayMs,
  roomsOf,
  type Shape,
  scheduleFrom,
  slotsOf,
} from './shapes.ts';
import { composeText, sentAtMsOf } from './texts.ts';
import { correctness, figuresOf, held, noErrors, speed } from './thresholds.ts';

const SHAPE: Shape = {
  rampMs: 2_000,
  phases: [
    { name: 'calm', lengthMs: 10_000 },
    { name: 'hot', lengthMs: 5_000 },
  ],
  groups: [
    { name: 'quiet', clients: 12, clientsPerVu: 5, rooms: 40, roomsPerClient: 5, messagesPerS: [6, 6] },
    { name: 'hot', clients: 8, clientsPerVu: 5, rooms: 2, roomsPerClient: 2, messagesPerS: [0, 80] },
  ],
  settleMs: 10_000,
};
const [QUIET, HOT] = SHAPE.groups as [Shape['groups'][number], Shape['groups'][number]];
const slots = (shape: Shape) => [0, 1, 2, 3, 4, 5].map((vu) => slotsOf(shape, vu));

test('reads durations like k6, and rejects others', () => {
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

test('spreads the clients over the ramp, before the first send', () => {
  const delays = Array.from({ length: 20 }, (_, index) => rampDelayMs(SHAPE, index));
  assert.equal(delays[0], 0);
  assert.ok(delays.every((delay, index) => index === 0 || delay > (delays[index - 1] ?? 0)));
  assert.ok((delays.at(-1) ?? 0) < SHAPE.rampMs);
});

test('phases follow each other, and a run has time for all of them', () => {
  const schedule = scheduleFrom(SHAPE, 1_000);
  assert.deepEqual(schedule, {
    sendFromMs: 3_000,
    phases: [
      { name: 'calm', fromMs: 3_000, untilMs: 13_000 },
      { name: 'hot', fromMs: 13_000, untilMs: 18_000 },
    ],
    sendUntilMs: 18_000,
    settledByMs: 28_000,
  });
  assert.deepEqual(
    [0, 3_000, 12_999, 13_000, 99_000].map((atMs) => phaseAt(schedule, atMs)),
    [0, 0, 0, 1, 1],
  );
  assert.equal(k6Scenario(SHAPE, 1).maxDuration, '57000ms');
});

test('every client has one slot, and no user has clients of two groups', () => {
  const all = slots(SHAPE);
  assert.deepEqual(
    all.map((users) => users.length),
    [5, 5, 2, 5, 3, 0],
  );
  assert.deepEqual(
    all.flat().map(({ index }) => index),
    Array.from({ length: 20 }, (_, index) => index),
  );
  assert.deepEqual(
    all[3]?.map(({ group, indexInGroup }) => [group.name, indexInGroup]),
    [0, 1, 2, 3, 4].map((index) => ['hot', index]),
  );
  assert.equal(k6Scenario(SHAPE, 1).vus, 5);
});

test('neighbours share some rooms, and every room has a client', () => {
  const few = ['a', 'b'];
  const [, , , hotSlots] = slots(SHAPE);
  assert.deepEqual(
    hotSlots?.slice(0, 2).map((slot) => roomsOf(few, slot)),
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
  );
  const many = Array.from({ length: QUIET.rooms }, (_, index) => `r${index}`);
  const joined = slots(SHAPE)
    .flat()
    .filter(({ group }) => group === QUIET)
    .flatMap((slot) => roomsOf(many, slot));
  assert.deepEqual(new Set(joined), new Set(many));
});

test('a client keeps its pace within a phase, and starts a phase at a random time', () => {
  const schedule = scheduleFrom(SHAPE, 1_000);
  const half = () => 0.5;
  // Twelve clients and six messages a second: each client sends every two seconds.
  assert.equal(nextSendMs(schedule, QUIET, 3_000, half), 4_000);
  assert.equal(nextSendMs(schedule, QUIET, 4_000, half), 6_000);
  assert.equal(nextSendMs(schedule, QUIET, 12_000, half), 14_000);
  assert.equal(nextSendMs(schedule, QUIET, 17_000, half), undefined);
  // Silent in the first phase.
  for (const random of [() => 0, half]) {
    const first = nextSendMs(schedule, HOT, 3_000, random) ?? 0;
    assert.ok(first >= 13_000 && first < 13_100, `${first}`);
  }
});

test('divides a run evenly among runners, or rejects it', () => {
  const part = partOf(SHAPE, 2);
  assert.equal(clientsOf(part), 10);
  assert.deepEqual(
    part.groups.map(({ rooms, messagesPerS }) => [rooms, messagesPerS[1]]),
    [
      [20, 3],
      [1, 40],
    ],
  );
  // k6 distributes the users to all runners.
  assert.equal(k6Scenario(part, 2).vus, 6);
  assert.throws(() => partOf(SHAPE, 3), /evenly/);
});

test('turns parts of the time into phases', () => {
  const { phases, groups } = phasedShape({
    clients: 10,
    rooms: 2,
    sendMs: 9_000,
    settleMs: 1_000,
    phases: [
      { name: 'a', part: 2, messagesPerS: 5 },
      { name: 'b', part: 1, messagesPerS: 50 },
    ],
  });
  assert.deepEqual(
    phases.map(({ lengthMs }) => lengthMs),
    [6_000, 3_000],
  );
  assert.deepEqual(groups[0]?.messagesPerS, [5, 50]);
});

test('a run without checked members fails, although all fault counts are 0', () => {
  const thresholds = correctness({ members: 20 });
  for (const name of ['messages_missing', 'messages_duplicated', 'messages_out_of_order', 'acknowledged_lost'])
    assert.deepEqual(thresholds[name], ['count==0'], name);
  assert.deepEqual(thresholds.members_audited, ['count==20']);
  assert.deepEqual(noErrors().ack_errors, ['count==0']);
});

test('checks speed only if a limit is given', () => {
  assert.deepEqual(speed({ deliveryP99MsMax: undefined }), {});
  assert.deepEqual(speed({ deliveryP99MsMax: 250 }), { delivery_latency: ['p(99)<=250'] });
  assert.deepEqual(Object.keys(speed({ deliveryP99MsMax: 250, phase: 'step-1' })), ['delivery_latency{phase:step-1}']);
  assert.deepEqual(held(), { delivery_held: ['rate>=0.99'] });
  assert.ok('messages_sent{phase:calm}' in figuresOf(['calm']));
});

test('settings have the defaults of the scenario, and an invalid one is named', () => {
  const options = { clients: 20, rate: 40, duration: '12s' };
  const usual = readSettings({}, options);
  assert.equal(usual.url, 'http://localhost:8080');
  assert.equal(usual.deliveryP99MsMax, undefined);
  assert.equal(usual.runners, 1);
  assert.deepEqual([usual.of('clients'), usual.of('rate'), usual.of('duration')], [20, 40, 12_000]);
  assert.throws(() => usual.of('steps'), /steps/);

  const env = { MARU_LOADTEST_URL: 'https://chat.example/', MARU_LOADTEST_DURATION: '1m', MARU_LOADTEST_RATE: '0.5' };
  const changed = readSettings({ ...env, MARU_LOADTEST_DELIVERY_P99: '250' }, options);
  assert.equal(changed.url, 'https://chat.example');
  assert.equal(changed.deliveryP99MsMax, 250);
  assert.deepEqual([changed.of('duration'), changed.of('rate')], [60_000, 0.5]);
  for (const [name, value] of [
    ['URL', 'chat.example'],
    ['DURATION', 'soon'],
    ['CLIENTS', '1.5'],
    ['RATE', '-1'],
    ['DELIVERY_P99', 'fast'],
    ['RUNNERS', '0'],
  ])
    assert.throws(() => readSettings({ [`MARU_LOADTEST_${name}`]: value }, options), new RegExp(`${name}`));
});

test('the defaults of every scenario are valid and within the rate limit of a user', () => {
  const catalogue = JSON.parse(readFileSync(new URL('../scenarios.json', import.meta.url), 'utf8')) as Catalogue;
  for (const [scenario, options] of Object.entries(catalogue)) {
    const { of } = readSettings({}, options);
    const peak = of('rate') * ('steps' in options ? 2 ** (of('steps') - 1) : 'factor' in options ? of('factor') : 1);
    assert.ok(peak / of('clients') <= 20, `${scenario}: a user may send 20 messages a second by default`);
    assert.ok(of('duration') > 0 && of('settle') > 0, scenario);
  }
});

test('reads tokens from lines or JSON, uses them in turn, and never quotes an invalid one', () => {
  assert.deepEqual(tokensFrom('a.b.c\nd.e.f\n\n', 3), ['a.b.c', 'd.e.f', 'a.b.c']);
  assert.deepEqual(tokensFrom('["a.b.c"]', 1), ['a.b.c']);
  assert.throws(() => tokensFrom('\n', 1), /no token/);
  assert.throws(
    () => tokensFrom('a.b.c\nhunter2', 1),
    (error: Error) => /entry 2/.test(error.message) && !error.message.includes('hunter2'),
  );
});

test('reads the time of sending from its own texts only', () => {
  for (let n = 0; n < 12; n++) assert.equal(sentAtMsOf(composeText(n, 1_795_365_388_280)), 1_795_365_388_280);
  for (const text of [undefined, '', 'hello', 'maru-load soon 1 x']) assert.equal(sentAtMsOf(text), undefined);
});
