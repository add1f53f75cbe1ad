import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf } from './commands.ts';
import { parseOptions, UsageError } from './options.ts';

test('a line is a message, a command, or a text that begins with a slash', () => {
  assert.deepEqual(commandOf(' hello '), { kind: 'send', text: 'hello' });
  assert.deepEqual(commandOf('//shrug'), { kind: 'send', text: '/shrug' });
  assert.deepEqual(commandOf('/join #Tea'), { kind: 'join', room: 'tea' });
  assert.deepEqual(commandOf('/edit one\ntwo'), { kind: 'edit', text: 'one\ntwo' });
  assert.deepEqual(commandOf('/who'), { kind: 'who' });
  for (const line of ['', '/join', '/join a b', '/search', '/edit', '/shrug'])
    assert.equal(commandOf(line).kind, 'none', line);
});

test('options have defaults, and problems are named', () => {
  const options = parseOptions([], {}, () => 'mina');
  assert.deepEqual(options, {
    url: 'http://127.0.0.1:8080',
    room: 'lobby',
    identity: { name: 'mina' },
    mayCreate: true,
    isJson: false,
    history: 50,
  });
  const other = parseOptions(
    ['--room', 'tea', '--json', '--url', 'https://a.example/x'],
    { MARU_TOKEN: 't' },
    () => 'mina',
  );
  assert.deepEqual(other, {
    url: 'https://a.example',
    room: 'tea',
    identity: { token: 't' },
    mayCreate: false,
    isJson: true,
    history: 50,
  });
  assert.equal(
    parseOptions(['-h'], {}, () => 'mina'),
    'help',
  );
  for (const args of [['--url', 'ftp://a'], ['--room', 'No!'], ['--history', '201'], ['--what'], ['extra']])
    assert.throws(() => parseOptions(args, {}, () => 'mina'), UsageError, args.join(' '));
});
