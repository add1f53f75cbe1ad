/** A gateway that cannot serve for a while reports not ready, and ready again when it can. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';

const UNREADY_AFTER_MS = 2_000;

describe('readiness', () => {
  let running: Gateways;
  before(async () => {
    running = await startGateways({ environment: { MARU_UNREADY_AFTER_MS: String(UNREADY_AFTER_MS) } });
  });
  after(() => running?.stop());

  const gateway = () => {
    const [only] = running.gateways;
    assert(only !== undefined);
    return only;
  };
  const isDegraded = async () => (await gateway().metric('maru_store_degraded')) === 1;

  for (const [fault, begin, end] of [
    ['is down', () => running.redis.kill(), () => running.redis.restart()],
    ['hangs', () => running.redis.kill('SIGSTOP'), () => running.redis.kill('SIGCONT')],
  ] as const)
    test(`while the store ${fault}, it stays ready at first, then is not`, async (t) => {
      const client = await connect(gateway().url, { token: tokenOf('ana') });
      t.after(() => client.socket.disconnect());
      assert.equal(await gateway().ready(), true);
      await begin();
      try {
        await poll('degraded', isDegraded);
        const degradedAt = performance.now();
        while (performance.now() - degradedAt < UNREADY_AFTER_MS / 2) {
          assert.equal(await gateway().ready(), true);
          await pause(50);
        }
        await poll('not ready', async () => !(await gateway().ready()));
        assert.equal(client.socket.connected, true);
      } finally {
        await end();
      }
      await poll('ready', () => gateway().ready());
      assert.equal(await isDegraded(), false);
    });
});
