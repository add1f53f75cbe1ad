import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from './failure.mjs';
import { parseLoadtestOptions } from './loadtest-options.mjs';
import { DEFAULT_DATA_DIR } from './root.mjs';

const CONTEXT = {
  cwd: '/home/mina',
  scenarios: [
    { name: 'smoke', about: 'Does it chat?', text: 'It decides.', options: { clients: 20, rate: 40, duration: '12s' } },
    { name: 'scale-out', about: 'More.', text: 'It grows.', options: { clients: 160, 'delivery-p99': 250 } },
  ],
};

/** @param {string[]} args @param {Record<string, string>} [environment] */
function parsed(args, environment = {}) {
  const options = parseLoadtestOptions(args, environment, CONTEXT);
  assert.ok(!options.help);
  return options;
}

test('a scenario without options has defaults', () => {
  assert.deepEqual(parsed(['smoke']), {
    help: false,
    scenario: 'smoke',
    url: null,
    dataDir: DEFAULT_DATA_DIR,
    port: '8080',
    mayBuild: true,
    mayStep: true,
    onStep: null,
    archive: null,
    settings: {},
    k6Environment: {},
    k6Arguments: [],
  });
});

test('options become settings of the scenario or of k6, with paths relative to the caller', () => {
  const options = parsed(
    [
      'smoke',
      '--url',
      'https://chat.example/',
      '--duration=1m',
      '--clients',
      '50',
      '--tokens',
      'jwt.txt',
      '--report',
      '/tmp/r.html',
    ],
    { MARU_PORT: '9000', MARU_DATA_DIR: 'data' },
  );
  assert.equal(options.url, 'https://chat.example');
  assert.equal(options.mayStep, false);
  assert.equal(options.port, '9000');
  assert.equal(options.dataDir, '/home/mina/data');
  assert.deepEqual(options.settings, {
    MARU_LOADTEST_DURATION: '1m',
    MARU_LOADTEST_CLIENTS: '50',
    MARU_LOADTEST_TOKENS: '/home/mina/jwt.txt',
  });
  assert.deepEqual(options.k6Environment, {
    K6_WEB_DASHBOARD: 'true',
    K6_WEB_DASHBOARD_EXPORT: '/tmp/r.html',
    K6_WEB_DASHBOARD_PERIOD: '1s',
  });
});

test('figures go to Prometheus by the remote write of k6', () => {
  const { k6Arguments, k6Environment } = parsed([
    'smoke',
    '--prometheus',
    'http://p:9090/api/v1/write',
    '--',
    '--quiet',
  ]);
  assert.deepEqual(k6Arguments, ['--out', 'experimental-prometheus-rw', '--quiet']);
  assert.equal(k6Environment.K6_PROMETHEUS_RW_SERVER_URL, 'http://p:9090/api/v1/write');
});

test('gateways are added only to the running cluster, or to one that was named', () => {
  assert.equal(parsed(['scale-out', '--url', 'http://host']).mayStep, false);
  assert.equal(parsed(['scale-out', '--url', 'http://host', '--data-dir', 'd']).mayStep, true);
  assert.equal(parsed(['scale-out', '--url', 'http://host', '--on-step', './scale']).onStep, './scale');
});

test('arguments after -- go to k6', () => {
  assert.deepEqual(parsed(['smoke', '--no-build', '--', '--out', 'csv=x.csv', '--quiet']).k6Arguments, [
    '--out',
    'csv=x.csv',
    '--quiet',
  ]);
});

test('a wrong command line gives a message and exit code 2', () => {
  const wrong = [
    [],
    ['nope'],
    ['smoke', 'smoke'],
    ['smoke', '--bad'],
    ['smoke', '--url'],
    ['smoke', '--url', 'localhost:8080'],
    ['smoke', '--url', 'http://host/path'],
    ['smoke', '--duration', 'soon'],
    ['smoke', '--duration', '5 s'],
    ['smoke', '--clients', 'many'],
    ['smoke', '--steps', '3'],
    ['smoke', '--prometheus', 'there'],
    ['smoke', '--on-step', 'x'],
    ['smoke', '--runners', '2'],
    ['smoke', '--delivery-p99', 'fast'],
  ];
  for (const args of wrong)
    assert.throws(
      () => parseLoadtestOptions(args, {}, CONTEXT),
      (error) => error instanceof Failure && error.exitCode === 2 && error.message.includes('--help'),
      args.join(' '),
    );
});

test('help lists all scenarios, and the options of one with their defaults', () => {
  const all = parseLoadtestOptions(['--help'], {}, CONTEXT);
  assert.match(all.help ? all.text : '', /smoke +Does it chat\?/);
  const one = parseLoadtestOptions(['smoke', '--help'], {}, CONTEXT);
  assert.match(one.help ? one.text : '', /It decides\..*--clients +number of clients.*\(20\).*--duration .*\(12s\)/s);
  const own = parseLoadtestOptions(['scale-out', '-h'], {}, CONTEXT);
  assert.equal((own.help ? own.text : '').match(/--delivery-p99/g)?.length, 1);
});
