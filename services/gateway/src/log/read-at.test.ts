/** Pages of messages around a time, in a real Redis. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { message, publicRoom, startLogRig } from './testing/log-rig.ts';

test('a page at a time contains the messages before the time, and those at or after it', async (t) => {
  const rig = await startLogRig();
  t.after(() => rig.stop());
  const log = await rig.node();
  const room = await publicRoom(log);
  const by = { userId: 'jun', userName: 'Jun', isAdmin: false, mayStore: true };
  for (let n = 0; n < 12; n++) {
    const sent = await log.append(message(room, `m${n}`));
    const change = { type: 'react', seq: 'seq' in sent ? sent.seq : 0, emoji: '👍', active: true } as const;
    await log.change({ ...by, room, clientMsgId: `r${n}`, change });
    await setTimeout(3);
  }
  const read = async (mode: 'newest' | 'at', seq: number, limit: number) =>
    (await log.readMessages(room, 'jun', { mode, seq, limit, thread: undefined, pinned: false })).entries;
  const all = await read('newest', 0, 50);
  for (const ts of [0, ...all.flatMap((one) => [one.ts, one.ts + 1])]) {
    const older = all.filter((one) => one.ts < ts).slice(-2);
    const newer = all.filter((one) => one.ts >= ts).slice(0, 4 - older.length);
    assert.deepEqual(await read('at', ts, 4), [...older, ...newer], `at ${ts}`);
  }
});
