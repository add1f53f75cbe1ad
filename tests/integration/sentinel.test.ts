/**
 * The room log with Redis Sentinel: the primary is killed, hangs, and continues after it was
 * replaced.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Acknowledged,
  ask,
  createRoom,
  historyOf,
  messageOf,
  openLog,
  readWithRetries,
  role,
  send,
  sentinel,
  startLog,
  startSentinel,
  stopSentinel,
  until,
  untilPaired,
  watchPromotion,
} from './sentinel-setup.ts';

/**
 * Sentinels demote an old primary about ten seconds after it continues. The log has to leave it
 * long before.
 */
const LEFT_WITHIN_MS = 4_000;

before(startSentinel);
after(stopSentinel);

test('messages acknowledged with a replica survive the death of the primary, once and in order', async () => {
  const log = await startLog(1);
  const room = 'failover';
  await log.read(room, 'node', { mode: 'none' }, { create: true });
  const acknowledged: Acknowledged[] = [];
  let stop = false;
  const senders = ['a', 'b', 'c'].map((name) => send({ log, room, name, acknowledged, isOver: () => stop }));
  try {
    await until('acknowledgements once the replica follows', () => acknowledged.length >= 50);
    await sentinel.primary.kill('SIGKILL');
    const atKill = acknowledged.length;
    let hasEnded = false;
    log.appendStore.shards[0]?.redis.once('end', () => {
      hasEnded = true;
    });
    await until('the promotion of the replica', async () => (await role(sentinel.replica)) === 'master');
    // Without a replica no message is acknowledged. The old primary becomes one, as Sentinel would
    // order later.
    await sentinel.primary.restart();
    await until('the old primary to follow', () =>
      ask(sentinel.primary, (redis) => redis.call('REPLICAOF', '127.0.0.1', String(sentinel.replica.port))).then(
        () => true,
        () => false,
      ),
    );
    await until('acknowledgements after the failover', () => acknowledged.length >= atKill + 20);
    assert.ok(hasEnded, 'the connection to the old primary ended for good');
  } finally {
    stop = true;
  }
  assert.ok(Math.max(...(await Promise.all(senders))) > 0, 'the failover refused messages');

  const history = await historyOf(log, room);
  for (const { id, seq } of acknowledged) assert.equal(history.get(id), seq, `${id} was acknowledged`);
});

test('the log leaves a primary that hangs when a replica is promoted', async () => {
  const [sleeper, successor] = await untilPaired();
  const room = 'hung';
  await createRoom(room);
  const log = await startLog(0);
  await sleeper.kill('SIGSTOP');
  try {
    assert.equal(await role(successor), 'slave');
    await until('the promotion of the replica', async () => (await role(successor)) === 'master');
    let clientMsgId = 0;
    await until('an acknowledgement while the old primary still hangs', () =>
      log.append(messageOf(room, 'u', `m-${clientMsgId++}`)).then(
        () => true,
        () => false,
      ),
    );
    await readWithRetries(log, room, 0);
  } finally {
    await sleeper.kill('SIGCONT');
  }
});

test('the log does not acknowledge messages that a replaced primary stored after it continued', async () => {
  const room = 'woken';
  const [sleeper, successor] = await untilPaired();
  await createRoom(room);
  const promotion = await watchPromotion();
  let stop = false;
  const gateways: Acknowledged[][] = [];
  const senders: Array<Promise<number>> = [];
  await sleeper.kill('SIGSTOP');
  try {
    do {
      // The kernel accepts connections to a stopped server. It serves them when it continues.
      const acknowledged: Acknowledged[] = [];
      const name = `gateway-${gateways.push(acknowledged)}`;
      senders.push(send({ log: openLog(0), room, name, acknowledged, isOver: () => stop }));
    } while (!(await promotion.isPromoted(300)));
  } finally {
    await sleeper.kill('SIGCONT');
  }
  assert.equal(await role(successor), 'master');
  await pause(LEFT_WITHIN_MS);
  stop = true;
  await Promise.all(senders);
  await until('the old primary to follow', async () => (await role(sleeper)) === 'slave');

  const history = await historyOf(await startLog(0), room);
  const lost = gateways.flat().filter(({ id, seq }) => history.get(id) !== seq);
  assert.equal(lost.length, 0, `${lost.length} acknowledged messages are lost`);
  assert.ok(!gateways.some(({ length }) => length === 0), 'every gateway continues with the new primary');
});

test('the log is unavailable while the primary refuses writes without replicas', async () => {
  const [alone] = await untilPaired();
  const room = 'alone';
  await createRoom(room);
  const log = await startLog(0);
  const append = () => log.append(messageOf(room, 'u', 'm')).catch((error) => error);
  await ask(alone, (redis) => redis.call('CONFIG', 'SET', 'min-replicas-to-write', '2'));
  try {
    const refusal = await append();
    assert.equal(refusal.code, 'unavailable');
    assert.match(String(refusal.cause), /NOREPLICAS/);
  } finally {
    await ask(alone, (redis) => redis.call('CONFIG', 'SET', 'min-replicas-to-write', '0'));
  }
  assert.equal((await append()).outcome, 'stored');
});
