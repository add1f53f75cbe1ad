/**
 * A copy of the store is restored while no gateway runs that remembers the lost entries. The
 * operator's command `new-epochs` makes the gateways inform every client.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startTestRedis } from '@maru/service-kit/testing';
import { connect } from '../support/client.ts';
import { repository } from '../support/cluster.ts';
import { startGateways, tokenOf } from '../support/gateways.ts';

const PROGRAM = 'services/gateway/src/admin/new-epochs.ts';
const ROOM = 'restored';

async function openEpochs(redisUrl: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args], {
    cwd: repository,
    env: { MARU_REDIS_URL: redisUrl },
  });
  return JSON.parse(stdout);
}

test('after a restore and a restart, every client with an older position learns of the new epoch', async (t) => {
  const redis = await startTestRedis({ appendOnly: 'always' });
  t.after(() => redis.stop());
  const files = join(redis.directory, 'appendonlydir');
  const copy = join(redis.directory, 'copy');

  let running = await startGateways({ redis });
  t.after(() => running.stop());
  const urlOf = (index = 0) => running.gateways[index]?.url ?? '';
  const send = async (user: string, texts: string[]) => {
    const client = await connect(urlOf(), { token: tokenOf(user) });
    await client.ok('room:join', { room: ROOM });
    for (const text of texts) await client.ok('message:send', { room: ROOM, clientMsgId: text, text });
    client.close();
  };
  const before = await connect(urlOf(), { token: tokenOf('mina') });
  const { epoch } = await before.ok('room:join', { room: ROOM });
  await send('jun', ['a', 'b', 'c', 'd']);
  cpSync(files, copy, { recursive: true });
  await send('jun', ['lost 1', 'lost 2', 'lost 3']);
  await before.until(ROOM, 7);

  // Stop every gateway that remembers, and restore the copy of the store.
  await running.stop();
  before.close();
  await redis.kill();
  rmSync(files, { recursive: true });
  cpSync(copy, files, { recursive: true });
  await redis.restart();

  assert.deepEqual(await openEpochs(redis.url, '--dry-run'), { opened: 1, done: 0, dryRun: true });
  assert.deepEqual(await openEpochs(redis.url), { opened: 1, done: 0, dryRun: false });
  assert.deepEqual(await openEpochs(redis.url), { opened: 0, done: 1, dryRun: false }, 'again: nothing is left to do');

  running = await startGateways({ redis });
  // The log outgrows the lost entries, so that its length does not reveal the loss.
  await send('jun', ['new 5', 'new 6', 'new 7', 'new 8', 'new 9']);

  for (const seq of [7, 4, 2]) {
    const back = await connect(urlOf(), { token: tokenOf('mina'), resume: { [ROOM]: { epoch, seq } } });
    const answer = back.session.rooms[ROOM] as { recovered: boolean; reason?: string; epoch: string; head: number };
    assert.equal(answer.recovered, false, `from ${seq}`);
    assert.equal(answer.reason, 'epoch');
    assert.notEqual(answer.epoch, epoch);
    assert.equal(answer.head, 9);
    assert.deepEqual(back.entries(ROOM), [], 'nothing is passed off as what was missed');
    const history = await back.ok('history:read', { room: ROOM, after: 0 });
    assert.deepEqual(
      history.messages.map((entry) => [entry.seq, entry.epoch, entry.text]),
      ['a', 'b', 'c', 'd', 'new 5', 'new 6', 'new 7', 'new 8', 'new 9'].map((text, i) => [i + 1, answer.epoch, text]),
    );
    back.close();
  }
});

test('connected members learn of the new epoch and continue', async (t) => {
  const running = await startGateways();
  t.after(() => running.stop());
  const member = await connect(running.gateways[0]?.url ?? '', { token: tokenOf('mina') });
  t.after(() => member.close());
  const { epoch } = await member.ok('room:join', { room: ROOM });
  await member.ok('message:send', { room: ROOM, clientMsgId: '1', text: 'one' });
  await member.until(ROOM, 1);

  await openEpochs(running.redis.url);
  const event = await member.event<{ type: string; epoch: string; head: number }>('room:event');
  assert.equal(event.type, 'epoch');
  assert.notEqual(event.epoch, epoch);
  assert.equal(event.head, 1);
  await member.ok('message:send', { room: ROOM, clientMsgId: '2', text: 'two' });
  await member.until(ROOM, 2);
  assert.deepEqual(
    member.entries(ROOM).map((entry) => [entry.seq, entry.epoch]),
    [
      [1, epoch],
      [2, event.epoch],
    ],
  );
});

test('the program reports wrong options and an unreachable store, and changes nothing', async () => {
  const run = (environment: Record<string, string>, ...args: string[]) =>
    promisify(execFile)(process.execPath, [PROGRAM, ...args], { cwd: repository, env: environment }).then(
      () => assert.fail('it ended with 0'),
      (error: { code: number; stderr: string }) => error,
    );
  assert.equal((await run({}, '--dry')).code, 2);
  const unset = await run({});
  assert.deepEqual([unset.code, unset.stderr.includes('MARU_REDIS_URL is required')], [2, true]);
});
