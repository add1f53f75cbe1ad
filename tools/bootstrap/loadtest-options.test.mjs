import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from './failure.mjs';
import { loadtestHelp, parseLoadtestOptions } from './loadtest-options.mjs';
import { DEFAULT_DATA_DIR } from './root.mjs';

const CONTEXT = { cwd: '/home/mina', scenarios: [{ name: 'smoke', about: 'Does it chat?' }] };

/** @param {string[]} args @param {Record<string, string>} [environment] */
function parsed(args, environment = {}) {
  const options = parseLoadtestOptions(args, environment, CONTEXT);
  assert.ok(!options.help);
  return options;
}

test('a scenario alone has defaults', () => {
  assert.deepEqual(parsed(['smoke']), {
    help: false,
    scenario: 'smoke',
    url: null,
    dataDir: DEFAULT_DATA_DIR,
    port: '8080',
    mayBuild: true,
    settings: {},
    k6Arguments: [],
  });
});

test('options become settings of k6, with paths from where the caller is', () => {
  const options = parsed(
    ['smoke', '--url', 'https://chat.example/', '--duration=1m', '--tokens', 'jwt.txt', '--report', '/tmp/r.html'],
    { MARU_PORT: '9000', MARU_DATA_DIR: 'data' },
  );
  assert.equal(options.url, 'https://chat.example');
  assert.equal(options.port, '9000');
  assert.equal(options.dataDir, '/home/mina/data');
  assert.deepEqual(options.settings, {
    MARU_LOADTEST_DURATION: '1m',
    MARU_LOADTEST_TOKENS: '/home/mina/jwt.txt',
    K6_WEB_DASHBOARD: 'true',
    K6_WEB_DASHBOARD_EXPORT: '/tmp/r.html',
    K6_WEB_DASHBOARD_PERIOD: '1s',
  });
});

test('what follows -- is k6’s', () => {
  assert.deepEqual(parsed(['smoke', '--no-build', '--', '--out', 'csv=x.csv', '--quiet']).k6Arguments, [
    '--out',
    'csv=x.csv',
    '--quiet',
  ]);
});

test('a wrong command line is a sentence and exit code 2', () => {
  const wrong = [
    [],
    ['nope'],
    ['smoke', 'smoke'],
    ['smoke', '--bad'],
    ['smoke', '--url'],
    ['smoke', '--url', 'localhost:8080'],
    ['smoke', '--url', 'http://host/path'],
    ['smoke', '--duration', 'soon'],
    ['smoke', '--settle', '5 s'],
    ['smoke', '--delivery-p99', 'fast'],
  ];
  for (const args of wrong)
    assert.throws(
      () => parseLoadtestOptions(args, {}, CONTEXT),
      (error) => error instanceof Failure && error.exitCode === 2 && error.message.includes('--help'),
      args.join(' '),
    );
});

test('help names every scenario', () => {
  assert.deepEqual(parseLoadtestOptions(['smoke', '--help'], {}, CONTEXT), { help: true });
  assert.match(loadtestHelp(CONTEXT.scenarios), /smoke +Does it chat\?/);
});
