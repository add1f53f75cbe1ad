/** The terminal client, in a terminal emulator and in pipes, against a real cluster. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { createChatClient } from '@maru/client';
import { connect, type TestClient } from '../support/client.ts';
import { type Cluster, repository, startCluster } from '../support/cluster.ts';
import { poll, sleep } from '../support/poll.ts';
import { KEYS, startTerminal, type TestTerminal } from '../support/terminal.ts';
import { mintToken, newId, newRoom } from '../support/tokens.ts';

const open: Array<{ stop(): void }> = [];
let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ gateways: 2 });
});
afterEach(() => {
  for (const one of open.splice(0)) one.stop();
});
after(() => cluster?.stop());

const tokenOf = (sub: string) =>
  mintToken(cluster.jwtSecret, { sub, name: sub, exp: Math.floor(Date.now() / 1_000) + 3_600 });

async function roomWith(sub: string): Promise<{ room: string; client: TestClient }> {
  const room = newRoom('term');
  const client = await connect(cluster.endpoint, { token: tokenOf(sub) });
  open.push({ stop: () => client.close() });
  await client.ok('room:create', { room, title: 'Tea' });
  await client.ok('room:join', { room });
  return { room, client };
}

function enter(room: string, name: string, rows = 30): TestTerminal {
  return enterAs(room, ['--name', name], rows);
}

function enterAs(room: string, identity: string[], rows = 30): TestTerminal {
  const args = ['--url', cluster.endpoint, '--room', room, ...identity];
  const terminal = startTerminal(args, { columns: 80, rows });
  open.push(terminal);
  return terminal;
}

test('sends, edits and finds messages; Korean takes two columns, and escape sequences do nothing', async () => {
  const { room, client } = await roomWith('mina');
  const terminal = enter(room, '준호');
  await terminal.shows('connected');
  await client.ok('message:send', { room, clientMsgId: newId(), text: 'hello\u001b[2J there' });
  await terminal.shows('mina: hello[2J there');
  terminal.type('안녕하세요 여러분');
  await terminal.shows('> 안녕하세요 여러분');
  terminal.type(KEYS.enter);
  await terminal.shows('준호: 안녕하세요 여러분');
  terminal.type(KEYS.up);
  await terminal.shows('edit> 안녕하세요 여러분');
  terminal.type(`!${KEYS.enter}`);
  await terminal.shows('안녕하세요 여러분! [edited]');
  await poll('the edit to reach others', () =>
    client.entries(room).some(({ type, data }) => type === 'message.edit' && JSON.stringify(data).includes('여러분!')),
  );
  terminal.type(`/who${KEYS.enter}`);
  await terminal.shows('준호 · online');
  terminal.type(KEYS.escape);
  await terminal.shows('mina: hello');
  terminal.type(`/join no-such-room-${newId()}${KEYS.enter}`);
  await terminal.shows('there is no room');
  terminal.type(KEYS.controlC);
  assert.equal(await terminal.exited, 0);
});

test('an edit changes the message whose text it shows, and ends when the room changes', async () => {
  const { room, client } = await roomWith('yuna');
  const other = newRoom('other');
  await client.ok('room:create', { room: other });
  await client.ok('room:join', { room: other });
  for (const one of [room, other]) await client.ok('room:follow', { room: one, active: true });
  const send = (to: string, text: string) => client.ok('message:send', { room: to, clientMsgId: newId(), text });
  await send(room, 'alpha');
  await send(other, 'beta');
  const terminal = enterAs(room, ['--token', tokenOf('yuna')]);
  await terminal.shows('yuna: alpha');
  terminal.type(KEYS.up);
  await terminal.shows('edit> alpha');
  await send(room, 'gamma');
  await terminal.shows('yuna: gamma');
  terminal.type(`!${KEYS.enter}`);
  await terminal.shows('yuna: alpha! [edited]');
  await terminal.shows('yuna: gamma');
  terminal.type(KEYS.up);
  await terminal.shows('edit> gamma');
  terminal.type(KEYS.controlN);
  await terminal.shows('yuna: beta');
  terminal.type(KEYS.enter);
  terminal.type(`done${KEYS.enter}`);
  await poll('the message in the other room', () => client.entries(other).some(({ text }) => text === 'done'));
  assert.deepEqual(
    client.entries(other).map(({ type }) => type),
    ['text', 'text'],
  );
});

test('loses nothing while gateways are killed in turn', async () => {
  const { room } = await roomWith('owner');
  const terminal = enter(room, 'Sora', 150);
  await terminal.shows('connected');
  const olga = createChatClient({ url: cluster.endpoint, getToken: () => tokenOf('olga') });
  open.push({ stop: olga.close });
  olga.connect();
  olga.join(room);
  const count = 40;
  const gateways = await cluster.gateways();
  for (let i = 0; i < count; i++) {
    olga.send(room, `line ${i};`);
    terminal.type(`own ${i};${KEYS.enter}`);
    await sleep(25);
    const victim = i % 10 === 5 ? gateways[Math.floor(i / 10) % gateways.length] : undefined;
    if (victim !== undefined) {
      await cluster.kill(victim.name);
      await cluster.restart(victim.name);
    }
  }
  const numbers = (word: string) =>
    terminal.screen().flatMap((line) => {
      const [, number] = new RegExp(`: ${word} (\\d+);$`).exec(line) ?? [];
      return number === undefined ? [] : [Number(number)];
    });
  const all = Array.from({ length: count }, (_, i) => i);
  for (const word of ['line', 'own'])
    await poll(`all ${word}s on the screen`, () => numbers(word).length >= count, { timeoutMs: 30_000 });
  assert.deepEqual([numbers('line'), numbers('own')], [all, all]);
});

test('JSON lines work in pipes, and the program ends when everything is stored', async () => {
  const { room, client } = await roomWith('haru');
  const main = path.join(repository, 'apps/terminal/src/main.ts');
  const args = [main, '--json', '--url', cluster.endpoint, '--room', room];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, MARU_TOKEN: tokenOf('robot') },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stdin.end('plain text\n{"type":"send","text":"an object"}\n');
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, output);
  const events = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  assert.equal(events.filter(({ type }) => type === 'stored').length, 2);
  await poll('both messages', () => client.entries(room).filter(({ type }) => type === 'text').length === 2);
});

test('reports errors, and creates no room after a typing error', async () => {
  const main = path.join(repository, 'apps/terminal/src/main.ts');
  const run = (...args: string[]) =>
    new Promise<{ code: number | null; text: string }>((resolve) => {
      const child = spawn(process.execPath, [main, '--url', cluster.endpoint, ...args], { stdio: 'pipe' });
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (data: Buffer) => {
          text += data.toString();
        });
      child.once('close', (code) => resolve({ code, text }));
    });
  const typo = await run('--json', '--room', newRoom('typo'));
  assert.deepEqual([typo.code, /there is no room/.test(typo.text)], [2, true], typo.text);
  const help = await run('--help');
  assert.deepEqual([help.code, help.text.includes('--json')], [0, true]);
  assert.equal((await run('--what')).code, 2);
});
