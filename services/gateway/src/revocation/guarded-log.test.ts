import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomLog } from '../log/room-log.ts';
import { guardReads } from './guarded-log.ts';

const piece = { mode: 'newest', seq: 0, limit: 1, thread: undefined, pinned: false } as const;
const calls: Array<[string, (log: RoomLog) => Promise<unknown>]> = [
  ['a page of the log', (log) => log.read('tea', { userId: 'mina' }, { mode: 'newest', limit: 1 })],
  ['a page of messages', (log) => log.readMessages('tea', 'mina', piece)],
];

for (const [what, call] of calls)
  test(`${what} waits until the node has read the revocations, and a revoked user gets no answer`, async () => {
    let open = false;
    let revokedAtMs: number | undefined;
    let openGate: () => void = () => {};
    const log = guardReads({ read: async () => 'answer', readMessages: async () => 'answer' } as unknown as RoomLog, {
      gate: {
        isOpen: () => open,
        whenOpen: () =>
          new Promise((resolve) => {
            openGate = resolve;
          }),
      },
      users: { at: () => revokedAtMs },
    });
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    const waiting = call(log);
    await settled();
    openGate();
    assert.equal(await waiting, 'answer');
    const refused = call(log);
    await settled();
    revokedAtMs = 1;
    openGate();
    await assert.rejects(refused, { code: 'unauthenticated' });
    open = true;
    assert.equal(await call(log), 'answer');
  });
