/** Logs of real services: no text, no token, and an id in each line about a connection. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { connect, Refused, TestClient } from '../support/client.ts';
import { repository } from '../support/cluster.ts';
import { type Gateways, SECRET, startGateways, tokenOf } from '../support/gateways.ts';
import { poll, sleep } from '../support/poll.ts';

const TEXT = 'planted text, which no log may contain';
const ROOM = 'logged';

let running: Gateways;
let written = '';
before(async () => {
  running = await startGateways({
    environment: { MARU_LOG_LEVEL: 'trace', MARU_CONNECTIONS_PER_USER_MAX: '1' },
    presenceEnvironment: { MARU_LOG_LEVEL: 'trace' },
  });
  for (const { child } of [...running.gateways, running.presence])
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        written += chunk.toString();
      });
});
after(() => running.stop());

const urlOf = () => running.gateways[0]?.url ?? '';
const lines = (): Array<Record<string, unknown>> =>
  written
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('no line contains a message text or a token', async () => {
  const tokens = [tokenOf('mina'), tokenOf('jun'), tokenOf('old', { exp: 1_000_000_000 }), `${tokenOf('forged')}x`];
  const [mina, jun, expired, forged] = tokens as [string, string, string, string];
  for (const token of [expired, forged]) await assert.rejects(connect(urlOf(), { token }), Refused);

  const client = await connect(urlOf(), { token: mina });
  await client.ok('room:join', { room: ROOM });
  await client.ok('message:send', { room: ROOM, clientMsgId: 'a', text: TEXT });
  await client.refused('conflict', 'message:send', { room: ROOM, clientMsgId: 'a', text: `${TEXT}, again` });
  await client.refused('invalid', 'message:send', { room: TEXT, clientMsgId: 'b', text: TEXT });
  await client.refused('invalid', TEXT, { text: TEXT });

  const path = `${urlOf()}/api/v1/rooms/${ROOM}/messages`;
  const post = (token: string, body: string) =>
    fetch(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'c' },
      body,
    });
  assert.equal((await post(jun, JSON.stringify({ text: TEXT }))).status, 201);
  assert.equal((await post(jun, `{"text": ${TEXT}`)).status, 400);
  assert.equal((await post(forged, JSON.stringify({ text: TEXT }))).status, 401);

  // Redis refuses one append with an error that quotes the whole command, and stops during another.
  const setMaxMemory = async (limit: string) => {
    const { connectRedis, waitUntilReady } = await import('@maru/redis-store');
    const { createLogger } = await import('@maru/service-kit');
    const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
    const redis = connectRedis({ url: running.redis.url, deadlineMs: 2_000 }, { purpose: 'test', node: 'n', logger });
    await waitUntilReady(redis, 5_000);
    await redis.config('SET', 'maxmemory', limit);
    redis.disconnect();
  };
  await setMaxMemory('1');
  await client.refused('unavailable', 'message:send', { room: ROOM, clientMsgId: 'd', text: TEXT });
  await setMaxMemory('0');
  await running.redis.kill('SIGSTOP');
  const unanswered = client.refused('unavailable', 'message:send', { room: ROOM, clientMsgId: 'e', text: TEXT });
  await sleep(100);
  await running.redis.kill();
  await unanswered;
  await running.redis.restart();
  await client.patient('message:send', { room: ROOM, clientMsgId: 'f', text: TEXT });
  client.close();
  await poll('the line about the disconnect', () => written.includes('"disconnected"'));

  assert.ok(lines().length > 10);
  const signatures = tokens.map((token) => token.split('.')[2]?.slice(0, 20) ?? '');
  for (const planted of ['planted', 'no log may contain', SECRET, ...tokens, ...signatures])
    assert.ok(!written.includes(planted), `${planted} is in a log`);
});

test('each line about a connection contains the session id that its client knows', async () => {
  const first = await connect(urlOf(), { token: tokenOf('twice') });
  const { sessionId } = first.session;
  // One more connection than the limit of this user.
  const second = new TestClient(urlOf(), { token: tokenOf('twice') });
  second.socket.connect();
  await poll('the second connection to be closed', () => second.disconnects.length > 0);
  second.close();
  first.close();
  const about = (message: string) => lines().filter(({ msg }) => msg === message);
  await poll('the line about the disconnect', () =>
    about('disconnected').some(({ connection }) => connection === sessionId),
  );
  assert.ok(about('connected').some(({ connection, user }) => connection === sessionId && user === 'twice'));
  assert.ok(about('connection ended by this node').some(({ reason }) => reason === 'too_many_connections'));
  for (const message of ['connected', 'disconnected', 'connection ended by this node'])
    for (const line of about(message)) assert.equal(typeof line.connection, 'string', JSON.stringify(line));
});

test('every line has a time, level, service and node', () => {
  for (const line of lines()) {
    assert.ok(Number.isFinite(Date.parse(String(line.time))), JSON.stringify(line));
    for (const field of ['level', 'service', 'node', 'msg']) assert.equal(typeof line[field], 'string');
  }
});

test('docs/logs.md has every warning and error that the services log, and only messages that exist', () => {
  const page = readFileSync(`${repository}/docs/logs.md`, 'utf8');
  const documented = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message]) => message as string);
  const sources = globSync(['services/*/src/**/*.ts', 'packages/{service-kit,redis-store}/src/**/*.ts'], {
    cwd: repository,
  })
    .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
    .map((file) => readFileSync(`${repository}/${file}`, 'utf8'))
    .join('\n');
  for (const message of documented) assert.ok(sources.includes(`'${message}'`), `nothing writes "${message}"`);
  const logged = /\blogger\.(?:warn|error|fatal)\(\s*(?:\{[^}]*\},\s*)?'([^']+)'/g;
  for (const [, message] of sources.matchAll(logged))
    assert.ok(documented.includes(message as string), `"${message}" is missing`);
});
