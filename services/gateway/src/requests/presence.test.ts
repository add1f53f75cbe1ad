import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { PresencePort } from '../presence/presence-port.ts';
import type { PresenceWatches } from '../presence/presence-watches.ts';
import { WorkQueues } from '../rooms/work-queues.ts';
import type { Session } from '../sessions/session.ts';
import { presenceHandlers } from './presence.ts';

test('of two statuses that a connection sets at once, the second one wins', async () => {
  const stored: string[] = [];
  const presence = {
    // The first call is the slower one.
    async setStatus(_user: string, status: string) {
      await pause(status === 'online' ? 50 : 0);
      stored.push(status);
    },
  } as unknown as PresencePort;
  const session = {
    user: { id: 'mina', name: 'Mina' },
    subscriptions: new Map(),
    queues: new WorkQueues(),
    chargeEvents() {},
  } as unknown as Session;
  const handlers = presenceHandlers({ presence, watches: {} as PresenceWatches, mayRead: async () => {} });
  await Promise.all([
    handlers['presence:set'](session, { status: 'online' }),
    handlers['presence:set'](session, { status: 'invisible' }),
  ]);
  assert.deepEqual(stored, ['online', 'invisible']);
});
