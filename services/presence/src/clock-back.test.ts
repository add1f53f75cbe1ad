/**
 * Tests in which the clock of Redis is set back. They move all stored times into the future
 * instead, which is equivalent.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { dueNodesKey, dueRoomsKey, nodeKeys, roomKeys } from './keys.ts';
import { useService } from './testing/fixture.ts';
import { enter, eventually, leave, SHORT } from './testing/harness.ts';

const BACK_MS = 3_600_000;
const WITHIN_MS = SHORT.leaseMs + SHORT.sweepMs + SHORT.leaveGraceMs + SHORT.diffMs + 2_000;

async function setClockBack(redis: Redis, { room, node }: { room: string; node: string }): Promise<void> {
  const { records, due, meta } = roomKeys(room);
  for (const key of [dueNodesKey, dueRoomsKey, due])
    for (const member of await redis.zrange(key, '0', '-1')) await redis.zincrby(key, BACK_MS, String(member));
  for (const [user, text] of Object.entries(await redis.hgetall(records)))
    await redis.hset(
      records,
      user,
      text.replace(/"leftAt":(\d+)/g, (_, ms: string) => `"leftAt":${Number(ms) + BACK_MS}`),
    );
  for (const field of ['flushAt', 'flushedAt'])
    if ((await redis.hexists(meta, field)) === 1) await redis.hincrby(meta, field, BACK_MS);
  await redis.hincrby(nodeKeys(node).node, 'leaseUntil', BACK_MS);
}

describe('after the clock of Redis was set back', () => {
  const service = useService();

  it('a user who had just left disappears', async () => {
    const node = await service.startNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'));
    await service.untilShown('lobby', 'u1,u2');
    await node.report([leave('lobby', 'u2')]);
    await setClockBack(service.admin, { room: 'lobby', node: 'gw-a' });
    await service.untilShown('lobby', 'u1', WITHIN_MS);
  });

  it('the users of a node that had just died disappear', async () => {
    await service.startSilentNode('gw-a', enter('lobby', 'u1'));
    await service.untilShown('lobby', 'u1');
    await setClockBack(service.admin, { room: 'lobby', node: 'gw-a' });
    await service.untilShown('lobby', '', WITHIN_MS);
  });

  it('a difference that was due is published', async () => {
    const node = await service.startNode('gw-a', enter('lobby', 'u1'));
    await service.untilShown('lobby', 'u1');
    const diffs = await service.diffsOf('lobby');
    await node.report([enter('lobby', 'u2')]);
    await setClockBack(service.admin, { room: 'lobby', node: 'gw-a' });
    await node.report([enter('lobby', 'u3')]);
    await service.untilShown('lobby', 'u1,u2,u3', WITHIN_MS);
    assert.deepEqual(diffs.flatMap(({ joins }) => joins.map(({ id }) => id)).sort(), ['u2', 'u3']);
  });

  it('living nodes keep their leases, and forgotten entries leave Redis', async () => {
    const node = await service.startNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'));
    await service.untilShown('lobby', 'u1,u2');
    await node.report([leave('lobby', 'u2')]);
    await setClockBack(service.admin, { room: 'lobby', node: 'gw-a' });
    await sleep(WITHIN_MS);
    await service.untilShown('lobby', 'u1');
    const { records } = roomKeys('lobby');
    await eventually(async () => (await service.admin.hexists(records, 'u2')) === 0, 'u2 is forgotten', 8_000);
  });
});
