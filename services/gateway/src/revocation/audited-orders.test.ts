import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaruError } from '@maru/protocol';
import type { AuditEvent } from '../audit/audit.ts';
import { createGiveOrder } from './audited-orders.ts';

test('an order whose answer is lost is in the audit as unknown', async () => {
  const events: AuditEvent[] = [];
  const lost = new MaruError('unavailable', 'only 0 replicas have the order');
  const give = createGiveOrder({
    orders: { give: async (kind) => (kind === 'revoke' ? { atMs: 7 } : Promise.reject(lost)) },
    audit: { record: (event) => void events.push(event) },
  });
  const [revoke, drain] = [
    { action: 'user.revoke', by: 'root', user: 'mallory' },
    { action: 'node.drain', by: 'root', node: 'g-1' },
  ];
  assert.deepEqual(await give('revoke', 'mallory', revoke), { atMs: 7 });
  await assert.rejects(give('drain', 'g-1', drain), lost);
  assert.deepEqual(events, [revoke, { ...drain, outcome: 'unknown' }]);
});
