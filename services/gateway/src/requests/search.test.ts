import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaruError } from '@maru/protocol';
import { WorkQueues } from '../rooms/work-queues.ts';
import { searchHandlers } from './search.ts';

test('a search costs events for its time, also if it fails', async () => {
  let nowMs = 0;
  const handlers = searchHandlers({
    search: async () => {
      nowMs += 250;
      throw new MaruError('not_found', 'there is no such room');
    },
    now: () => nowMs,
  });
  let events = 0;
  const caller = {
    ...{
      user: { id: 'mina', name: 'Mina' },
      roles: [],
      revoked: false,
      queues: new WorkQueues(),
      subscriptions: new Map(),
    },
    charge() {},
    chargeEvents(count: number) {
      events += count;
    },
  };
  await assert.rejects(handlers.search(caller, { query: 'hello', limit: 20 }), { code: 'not_found' });
  assert.equal(events, 12);
});
