/**
 * The bytes charged for changes of messages are at least the memory that they use in a real Redis.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Change, RoomLog } from '../log/room-log.ts';
import { type LogRig, message, startLogRig } from '../log/testing/log-rig.ts';
import { changeBytes } from './stored-bytes.ts';

const COUNT = 1_000;
/** Small, so that a busy machine answers within the deadline. */
const AT_ONCE = 50;

let rig: LogRig;
let log: RoomLog;
before(async () => {
  rig = await startLogRig();
  log = await rig.node({ entriesMin: 100_000, entriesMax: 200_000 });
});
after(() => rig.stop());

async function usedBytes(): Promise<number> {
  const [, used] = /used_memory:(\d+)/.exec(await rig.admin.info('memory')) ?? [];
  return Number(used);
}

const longId = (mark: number) => `${mark}-`.padEnd(128, 'u');
const users = Array.from({ length: 50 }, (_, index) => longId(index));
const cases: Array<[string, (seq: number) => Change]> = [
  ['reactions', (seq) => ({ type: 'react', seq, emoji: '👩‍👩‍👧‍👦', active: true })],
  ['short edits', (seq) => ({ type: 'edit', seq, text: 'x', mentions: undefined })],
  ['edits', (seq) => ({ type: 'edit', seq, text: '\u000b'.repeat(500), mentions: users.slice(0, 3) })],
  ['first replies', (seq) => ({ type: 'send', text: 'x', thread: seq, mentions: undefined })],
  ['mentions', () => ({ type: 'send', text: 'x', thread: undefined, mentions: users })],
  ['mentions of the room', () => ({ type: 'send', text: 'x', thread: undefined, mentions: ['@room'] })],
  ['deletions', (seq) => ({ type: 'delete', seq, reason: 'x'.repeat(100) })],
];
for (const id of ['u', longId(100)])
  for (const [name, changeOf] of cases)
    test(`${name} by a user whose id has ${id.length} characters`, async () => {
      const room = `${name.replaceAll(' ', '-')}-${id.length}`.padEnd(64, 'r');
      const user = { userId: id, userName: 'n' };
      await log.read(room, { userId: 'mina' }, { mode: 'none' }, { create: true });
      const send = (index: number) => log.append({ ...message(room, `m-${index}`), ...user });
      await Promise.all(Array.from({ length: COUNT }, (_, index) => send(index)));
      let charged = 0;
      const usedBefore = await usedBytes();
      const store = async (index: number) => {
        const change = changeOf(index + 1);
        charged += changeBytes({ id, name: 'n' }, change);
        const clientMsgId = `${index}`.padEnd(64, 'c');
        const { outcome } = await log.change({ room, ...user, change, clientMsgId, isAdmin: true, mayStore: true });
        assert.equal(outcome, 'stored');
      };
      for (let first = 0; first < COUNT; first += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => store(first + index)));
      const used = (await usedBytes()) - usedBefore;
      assert.ok(used <= charged, `${used / COUNT} bytes for each, of which ${charged / COUNT} are charged`);
    });
