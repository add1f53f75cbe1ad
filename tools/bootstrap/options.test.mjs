import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from './failure.mjs';
import { parseClusterCommand, parseStartOptions } from './options.mjs';
import { DEFAULT_DATA_DIR } from './root.mjs';

/** @param {RegExp} message */
const misuse = (message) => (/** @type {unknown} */ error) =>
  error instanceof Failure && error.exitCode === 2 && message.test(error.message);

describe('the command line of npm start', () => {
  it('has defaults', () => {
    assert.deepEqual(parseStartOptions([], {}, '/clone'), {
      help: false,
      gateways: 2,
      port: 8080,
      host: '',
      dataDir: DEFAULT_DATA_DIR,
      archive: true,
    });
  });

  it('leaves out the archive by a switch or a variable', () => {
    const archive = (/** @type {string[]} */ args, /** @type {string} */ variable) => {
      const options = parseStartOptions(args, { MARU_NO_ARCHIVE: variable }, '/clone');
      return !options.help && options.archive;
    };
    assert.equal(archive(['--no-archive'], ''), false);
    assert.equal(archive([], 'on'), false);
    assert.equal(archive([], 'off'), true);
    assert.throws(() => archive([], 'maybe'), misuse(/^MARU_NO_ARCHIVE must be on or off/));
  });

  it('prefers flags to variables, and treats an empty variable as unset', () => {
    const environment = { MARU_GATEWAYS: '3', MARU_PORT: '9000', MARU_DATA_DIR: 'elsewhere', MARU_PUBLIC_HOST: '' };
    const options = parseStartOptions(['--gateways', '4', '--data-dir=x y'], environment, '/clone');
    assert.deepEqual(options, { help: false, gateways: 4, port: 9000, host: '', dataDir: '/clone/x y', archive: true });
    const plain = parseStartOptions([], environment, '/clone');
    assert.ok(!plain.help && plain.dataDir === '/clone/elsewhere' && plain.gateways === 3);
  });

  it('rejects unknown options and invalid values by name, with exit code 2', () => {
    /** @type {Array<[string[], RegExp]>} */
    const cases = [
      [['--gateway', '2'], /Unknown option --gateway\./],
      [['--gateways'], /--gateways needs a value/],
      [['--gateways', '0'], /--gateways must be a whole number from 1 to 64, not "0"/],
      [['--gateways', '2.5'], /must be a whole number/],
      [['--port', '65536'], /--port must be a whole number from 1 to 65535/],
      [['--port', '80 80'], /must be a whole number/],
      [['--host', 'a;b'], /--host must be an address/],
      [['--data-dir', 'a"b'], /may not contain/],
      [['gateway'], /Unknown argument "gateway"/],
      [['--help=yes'], /Unknown option --help=yes/],
    ];
    for (const [args, message] of cases) assert.throws(() => parseStartOptions(args, {}, '/clone'), misuse(message));
    assert.throws(() => parseStartOptions([], { MARU_PORT: 'eighty' }, '/clone'), misuse(/^MARU_PORT must be/));
  });

  it('prints help, whatever the other arguments are', () => {
    assert.deepEqual(parseStartOptions(['--port', '1', '-h'], {}, '/'), { help: true });
  });
});

describe('the command line of npm run cluster', () => {
  const dataDir = DEFAULT_DATA_DIR;
  it('reads each command', () => {
    const parse = (/** @type {string[]} */ ...args) => parseClusterCommand(args, {}, '/clone');
    assert.deepEqual(parse('status'), { command: 'status', json: false, secrets: false, dataDir });
    const json = { command: 'status', json: true, dataDir: '/d' };
    assert.deepEqual(parse('status', '--json', '--data-dir', '/d'), { ...json, secrets: false });
    assert.deepEqual(parse('status', '--json', '--secrets', '--data-dir', '/d'), { ...json, secrets: true });
    assert.deepEqual(parse('add', 'gateway'), { command: 'add', dataDir });
    assert.deepEqual(parse('new-epochs'), { command: 'new-epochs', dataDir });
    const token = { command: 'token', sub: 'root', name: 'Root', dataDir };
    assert.deepEqual(parse('token', '--sub', 'root', '--name=Root'), { ...token, role: null });
    assert.deepEqual(parse('token', '--sub', 'root', '--name=Root', '--role', 'admin'), { ...token, role: 'admin' });
    assert.deepEqual(parse('drain', 'gateway-1'), { command: 'drain', name: 'gateway-1', dataDir });
    assert.deepEqual(parse('kill', 'redis'), { command: 'kill', name: 'redis', dataDir });
    assert.deepEqual(parse('restart', 'nginx'), { command: 'restart', name: 'nginx', dataDir });
    assert.deepEqual(parse('status', '--help'), { command: 'help' });
  });

  it('rejects wrong usage with exit code 2', () => {
    for (const args of [
      [],
      ['stop'],
      ['add'],
      ['add', 'redis'],
      ['kill'],
      ['kill', '../x'],
      ['kill', 'a', 'b'],
      ['status', 'x'],
      ['status', '--secrets'],
      ['kill', 'a', '--json'],
      ['new-epochs', 'redis'],
      ['token'],
      ['token', '--sub', 'root'],
      ['token', 'x', '--sub', 'root', '--name', 'Root'],
      ['token', '--sub', 'root', '--name', 'Root', '--role', 'owner'],
      ['status', '--sub', 'root'],
    ])
      assert.throws(() => parseClusterCommand(args, {}, '/clone'), misuse(/./), args.join(' '));
  });
});
