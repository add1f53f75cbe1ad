import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeKeys } from './keys.ts';
import { useService } from './testing/fixture.ts';
import { enter, eventually, leave, SHORT, shownIn } from './testing/harness.ts';

describe('the lease of a node', () => {
  const service = useService();

  it('expires when the node is silent, which removes only its entries', async () => {
    await service.startNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'both'));
    const silent = await service.startSilentNode(
      'gw-b',
      enter('lobby', 'u2'),
      enter('lobby', 'both'),
      enter('den', 'u3'),
    );
    await service.untilCount('lobby', 3);
    const boundMs = SHORT.leaseMs + SHORT.sweepMs + SHORT.leaveGraceMs + SHORT.diffMs + 1_000;
    await service.untilShown('lobby', 'both,u1', boundMs);
    await service.untilShown('den', '', 500);
    assert.deepEqual(await silent.renew(), { resync: true });
  });

  it('begins again when a silent node reports its whole state', async () => {
    const node = await service.startSilentNode('gw-a', enter('lobby', 'u1'));
    await sleep(SHORT.leaseMs + SHORT.sweepMs + SHORT.leaveGraceMs + 300);
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), []);
    assert.deepEqual(await node.report([enter('lobby', 'u9')]), { resync: true });
    await node.sync(enter('lobby', 'u1'));
    await service.untilShown('lobby', 'u1');
  });

  it('belongs to the newest process with the name', async () => {
    const old = await service.startSilentNode('gw-a', enter('lobby', 'old'));
    const young = await service.startNode('gw-a', enter('lobby', 'young'));
    assert.deepEqual(await old.renew(), { resync: true });
    assert.deepEqual(await old.report([leave('lobby', 'young')]), { resync: true });
    const refused = await old.post('sync', { process: old.process, startedAt: old.startedAt });
    assert.equal(refused.status, 409);
    await old.depart();
    await service.untilShown('lobby', 'young');
    assert.deepEqual(await young.renew(), { resync: false });
  });
});

describe('the full state of a node', () => {
  const service = useService();

  it('removes what the node no longer has, without flicker for the rest', async () => {
    await service.startSilentNode('gw-a', enter('lobby', 'stays'), enter('lobby', 'goes'));
    await service.untilCount('lobby', 2);
    const diffs = await service.diffsOf('lobby');
    await service.startNode('gw-a', enter('lobby', 'stays'));
    await service.untilShown('lobby', 'stays');
    await eventually(() => diffs.length > 0, 'the leave is announced');
    assert.deepEqual(
      diffs.flatMap(({ joins, leaves }) => [...joins, ...leaves].map(({ id }) => id)),
      ['goes'],
    );
  });

  it('is requested after Redis was flushed', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'u1'));
    await service.untilShown('lobby', 'u1');
    await service.admin.flushall();
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), []);
    assert.deepEqual(await a.renew(), { resync: true });
    await a.sync(enter('lobby', 'u1'));
    await service.untilShown('lobby', 'u1');
  });

  it('is requested after Redis lost acknowledged reports', async () => {
    const a = await service.startNode('gw-a');
    await a.report([enter('lobby', 'u1')]);
    assert.deepEqual(await a.renew(), { resync: false });
    await service.admin.hincrby(nodeKeys('gw-a').node, 'seq', -1);
    assert.deepEqual(await a.renew(), { resync: true });
  });

  it('is not needed after a restart of the service', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'));
    await a.report([leave('lobby', 'u2')]);
    await service.restart();
    a.baseUrl = service.baseUrl;
    assert.deepEqual(await a.renew(), { resync: false });
    await service.untilShown('lobby', 'u1');
  });
});

describe('a report', () => {
  const service = useService();

  it('takes effect once, even if it is repeated or late', async () => {
    const a = await service.startNode('gw-a');
    await a.report([enter('lobby', 'u1')]);
    await a.repeat(a.seq, [enter('lobby', 'u1')]);
    await a.report([leave('lobby', 'u1')]);
    assert.deepEqual(await a.repeat(a.seq - 1, [enter('lobby', 'u1')]), { resync: false });
    await sleep(SHORT.leaveGraceMs + 300);
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), []);
    assert.deepEqual(await a.report([]), { resync: false });
    a.seq += 5;
    assert.deepEqual(await a.report([enter('lobby', 'u1')]), { resync: true });
  });

  it('loses only its invalid operations', async () => {
    const a = await service.startNode('gw-a');
    await a.report([enter('NOT A ROOM', 'u1'), { op: 'steal' }, null, enter('lobby', 'u2')]);
    await service.untilShown('lobby', 'u2');
  });
});
