import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { createPorts, tryPort } from './ports.ts';

describe('internal ports', () => {
  it('skip taken ports, and are never returned twice', async () => {
    const ports = createPorts({ isFree: async (port) => port !== 20_001, random: () => 0 });
    assert.deepEqual([await ports.take(), await ports.take(), await ports.take()], [20_000, 20_002, 20_003]);
  });

  it('stay the same while they are free, and change if another program took them', async () => {
    const taken = new Set<number>();
    const ports = createPorts({ isFree: async (port) => !taken.has(port), random: () => 0 });
    const port = await ports.take();
    assert.equal(await ports.keep(port), port);
    taken.add(port);
    assert.notEqual(await ports.keep(port), port);
  });

  it('fail if no port is free', async () => {
    const ports = createPorts({ isFree: async () => false, random: () => 0.99 });
    await assert.rejects(ports.take(), /no free port/);
  });

  it('detect a port that is taken on one address only', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    assert.equal(await tryPort(address.port, '127.0.0.1'), 'taken');
    assert.equal(await tryPort(address.port, ''), 'taken');
    assert.equal(await tryPort(address.port, '203.0.113.7'), 'no such address');
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await tryPort(address.port, ''), null);
  });
});
