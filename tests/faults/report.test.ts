import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Injected } from './injected.ts';
import { Misuse, parseFaultOptions } from './options.ts';
import { createReport, renderReport } from './report.ts';
import type { TrialResult } from './trial.ts';

const parse = (...args: string[]) => {
  const options = parseFaultOptions(args, () => 42, '/here');
  assert(options !== 'help');
  return options;
};

test('options have defaults and take values in both forms', () => {
  assert.deepEqual(parse(), {
    minutes: 5,
    seed: 42,
    clients: 40,
    rate: 40,
    rooms: 4,
    gateways: 3,
    networkPercent: 20,
    archivePercent: 15,
    store: 'single',
    waitReplicas: 0,
    outageSeconds: 90,
    settings: {},
    acts: undefined,
    crowd: undefined,
    faults: [],
    reportDir: undefined,
    outFile: undefined,
  });
  const given = parse(
    '--minutes=0.5',
    '--clients',
    '200',
    '--seed',
    '7',
    '--faults',
    'store killed,gateway',
    '--report',
    'out',
  );
  assert.deepEqual([given.minutes, given.clients, given.rooms, given.seed], [0.5, 200, 20, 7]);
  assert.deepEqual(given.faults, ['store killed', 'gateway']);
  assert.equal(given.reportDir, '/here/out');
  assert.equal(parse('--out', 'docs/faults.md').outFile, '/here/docs/faults.md');
  const set = parse('--set', 'MARU_FAST_PATH=off', '--set=MARU_ROOM_LINGER_MS=200');
  assert.deepEqual(set.settings, { MARU_FAST_PATH: 'off', MARU_ROOM_LINGER_MS: '200' });
  assert.deepEqual([parse('--acts', '1000').acts, parse('--acts', '1000').gateways], [1_000, 4]);
  const other = parse('--store', 'sentinel', '--crowd', '400');
  assert.deepEqual([other.store, other.waitReplicas, other.networkPercent], ['sentinel', 2, 0]);
  assert.deepEqual([other.clients, other.gateways, other.rooms], [400, 4, 40]);
  assert.equal(
    parseFaultOptions(['--help'], () => 1, '/'),
    'help',
  );
});

test('rejects invalid options by name', () => {
  assert.throws(() => parse('--minutes', '0'), /--minutes takes a number from 0.1/);
  assert.throws(() => parse('--clients', '2.5'), /--clients takes a whole number/);
  assert.throws(() => parse('--seed'), /--seed needs a value/);
  assert.throws(() => parse('--store', 'disk'), /--store takes single, sentinel, cluster, not disk/);
  assert.throws(() => parse('--set', 'FAST_PATH'), /--set takes MARU_NAME=VALUE, not FAST_PATH/);
  assert.throws(() => parse('--frob', '1'), Misuse);
});

const injected = (change: Partial<Injected>): Injected => ({
  name: 'store killed',
  about: 'kill -9',
  atMs: 5_000,
  holdMs: 1_000,
  wholeMs: 300,
  ownLagMs: 5,
  violations: [],
  ...change,
});
const trial = (change: Partial<TrialResult>): TrialResult => ({
  injected: [],
  violations: [],
  messages: 10,
  stored: 9,
  acts: { send: 7, edit: 2 },
  gapsDeclared: 0,
  lost: 0,
  presenceMs: 20,
  ...change,
});
const report = (...trials: TrialResult[]) =>
  createReport({ startedAtMs: 0, endedAtMs: 60_000, options: parse(), endedEarly: false, trials });

test('a report shows the worst value of each fault', () => {
  const { faults, violations } = report(
    trial({
      injected: [
        injected({ wholeMs: 100.4, firstErrorMs: 12 }),
        injected({ wholeMs: 900, holdMs: 4_000, firstErrorMs: 800 }),
        injected({ wholeMs: 200 }),
        injected({ name: 'gateway killed' }),
      ],
    }),
    trial({}),
  );
  assert.deepEqual(violations, []);
  assert.deepEqual(faults[0], {
    name: 'store killed',
    about: 'kill -9',
    times: 3,
    longestHoldMs: 4_000,
    firstErrorMs: 800,
    wholeMs: 900,
    wholeMedianMs: 200,
    violations: 0,
  });
});

test('violations of single faults and of the whole run are all reported', () => {
  const found = report(
    trial({ injected: [injected({ wholeMs: undefined, violations: ['I5: not whole'] })], violations: ['I1: lost'] }),
  );
  assert.deepEqual(found.violations, ['5 s, store killed: I5: not whole', 'I1: lost']);
  const text = renderReport(found);
  assert.match(text, /\*\*2 violations\.\*\*/);
  assert.match(text, /- I1: lost/);
  assert.match(text, /\| store killed \| 1 +\| 1\.0 s/);
  assert.match(renderReport(report(trial({}))), /\*\*No violations\.\*\*/);
});
