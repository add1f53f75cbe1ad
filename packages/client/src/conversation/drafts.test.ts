import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLogger } from '../logger.ts';
import { entry } from '../testing/entries.ts';
import { createFakeScheduler } from '../testing/fake-scheduler.ts';
import { memoryPlace } from '../testing/memory-place.ts';
import { DRAFTS_BYTES_MAX, Drafts } from './drafts.ts';

function start(place = memoryPlace(), warnings: string[] = []) {
  const clock = createFakeScheduler();
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const drafts = new Drafts({ place, scheduler: clock.scheduler, logger });
  return { clock, drafts, place };
}

it('keeps the drafts of rooms, threads and edits apart, also after a reload', () => {
  const { drafts, place } = start();
  drafts.set('lobby', 'room', 'hello');
  drafts.set('lobby', { thread: 4 }, 'a reply');
  drafts.set('lobby', { edit: 4 }, 'an edit');
  drafts.set('tea', 'room', 'with milk');
  drafts.set('tea', 'room', '');
  drafts.close();
  const again = start(place).drafts;
  assert.equal(again.get('lobby', 'room'), 'hello');
  assert.equal(again.get('lobby', { thread: 4 }), 'a reply');
  assert.equal(again.get('lobby', { edit: 4 }), 'an edit');
  assert.equal(again.get('tea', 'room'), '');
  assert.deepEqual([...again.rooms.get()], ['lobby']);
});

it('saves a burst of changes once', () => {
  const { clock, drafts, place } = start();
  for (const text of ['h', 'he', 'hel']) drafts.set('lobby', 'room', text);
  assert.equal(place.saves, 0);
  clock.pass(400);
  assert.equal(place.saves, 1);
  drafts.set('lobby', 'room', 'hell');
  drafts.flush();
  drafts.flush();
  clock.pass(400);
  assert.equal(place.saves, 2);
  assert.equal(clock.timers(), 0);
});

it('notifies when a room gets its first draft or loses its last, not for each letter', () => {
  const { drafts } = start();
  const seen: string[][] = [];
  drafts.rooms.subscribe(() => seen.push([...drafts.rooms.get()]));
  drafts.set('lobby', 'room', 'h');
  drafts.set('lobby', 'room', 'he');
  drafts.set('lobby', { thread: 1 }, 'x');
  drafts.set('tea', 'room', ' ');
  drafts.set('lobby', 'room', '');
  drafts.set('lobby', { thread: 1 }, '');
  assert.deepEqual(seen, [['lobby'], []]);
});

it('drops the oldest drafts from storage if they exceed the limit of bytes', () => {
  const { clock, drafts, place } = start();
  for (const room of ['first', 'second', 'third']) {
    clock.pass(1_000);
    drafts.set(room, 'room', 'x'.repeat(DRAFTS_BYTES_MAX / 5));
  }
  drafts.close();
  assert.deepEqual([...start(place).drafts.rooms.get()].sort(), ['second', 'third']);
});

it('takes what an ended tab left', () => {
  const place = memoryPlace();
  const { clock, drafts } = start(place);
  clock.pass(1_000);
  drafts.set('lobby', 'room', 'mine');
  let taken = 0;
  drafts.onTaken(() => taken++);
  assert.equal(place.leave('{"v":1,"items":[["lobby","room","mine",5],["tea","room","old",5]]}'), true);
  assert.deepEqual([drafts.get('lobby', 'room'), drafts.get('tea', 'room'), taken], ['mine', 'old', 1]);
  assert.match(place.value ?? '', /"old"/);
});

it('keeps both texts if two tabs wrote in one place, the older one first, and each once', () => {
  const place = memoryPlace();
  const { clock, drafts } = start(place);
  clock.pass(1_000);
  drafts.set('lobby', 'room', 'mine');
  const leave = (text: string, at: number) =>
    place.leave(JSON.stringify({ v: 1, items: [['lobby', 'room', text, at]] }));
  leave('hi', 1_001);
  assert.equal(drafts.get('lobby', 'room'), 'mine\nhi');
  leave('before', 999);
  assert.equal(drafts.get('lobby', 'room'), 'before\nmine\nhi');
  leave('mine', 2_000);
  leave('hi', 1_001);
  assert.equal(drafts.get('lobby', 'room'), 'before\nmine\nhi');
  leave('before\nmine\nhi\nmore', 3_000);
  leave('min', 4_000);
  assert.equal(drafts.get('lobby', 'room'), 'before\nmine\nhi\nmore\nmin');
  drafts.close();
  assert.equal(start(place).drafts.get('lobby', 'room'), 'before\nmine\nhi\nmore\nmin');
});

it('forgets the draft of an edit when its message is deleted, or turns out to be deleted', () => {
  const { drafts } = start();
  for (const seq of [1, 2, 3]) drafts.set('lobby', { edit: seq }, 'secret');
  const deletion = { ...entry(9), type: 'message.delete', data: { seq: 1 } };
  drafts.forgetDeleted('lobby', [deletion, { ...entry(2), text: '', deleted: { ts: 9, by: 'u' } }]);
  assert.deepEqual(
    [1, 2, 3].map((seq) => drafts.get('lobby', { edit: seq })),
    ['', '', 'secret'],
  );
});

for (const value of [
  '',
  '{',
  '5',
  '{"v":1}',
  '{"v":1,"items":[null,[],["A b","room","x",1],["a",{"edit":"1"},"x",1]]}',
]) {
  it(`starts without drafts after ${JSON.stringify(value)}`, () => {
    const { drafts } = start(memoryPlace(value));
    assert.equal(drafts.rooms.get().size, 0);
  });
}

it('keeps what another version has stored, and logs that', () => {
  const newer = '{"v":2,"items":{}}';
  const warnings: string[] = [];
  const place = memoryPlace(newer);
  const { drafts } = start(place, warnings);
  drafts.set('lobby', 'room', 'hello');
  drafts.close();
  assert.equal(place.value, newer);
  assert.equal(warnings.length, 1);
});
