import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaruError, type PresenceDiff, type PresenceSnapshot } from '@maru/protocol';
import type { Session } from '../sessions/session.ts';
import type { PresencePort } from './presence-port.ts';
import { createPresenceWatches } from './presence-watches.ts';

interface Snapshot {
  answer: () => void;
  refuse: () => void;
}

/** A port whose snapshots the test answers, and one session. */
function rig() {
  const snapshots: Snapshot[] = [];
  const watched = new Set<string>();
  const shown: number[] = [];
  let publish: (diff: PresenceDiff) => void = () => {};
  const port: Pick<PresencePort, 'watch' | 'unwatch' | 'snapshot'> = {
    async watch(room, onDiff) {
      watched.add(room);
      publish = onDiff;
    },
    unwatch: (room) => void watched.delete(room),
    snapshot: () =>
      new Promise<PresenceSnapshot>((resolve, reject) => {
        snapshots.push({
          answer: () => resolve({ count: 0, users: [] }),
          refuse: () => reject(new MaruError('unavailable', 'presence does not answer')),
        });
      }),
  };
  const subscriptions = new Map<string, unknown>();
  const session = {
    closed: false,
    watching: undefined,
    user: { id: 'mina' },
    subscriptions,
    emit: (_: string, diff: PresenceDiff) => void shown.push(diff.count),
  } as unknown as Session;
  let refusal: MaruError | undefined;
  const mayRead = async () => {
    if (refusal !== undefined) throw refusal;
  };
  const watches = createPresenceWatches({ port: port as PresencePort, mayRead });
  const at = (index: number): Snapshot => snapshots[index] ?? assert.fail(`no snapshot ${index}`);
  return {
    subscriptions,
    recheck(next?: MaruError) {
      refusal = next;
      return watches.recheck();
    },
    shown,
    watched,
    diff: (count: number) => publish({ room: 'lobby', count, joins: [], leaves: [], updates: [] }),
    /** Requests a snapshot. Its answer is handled like in the dispatcher. */
    watch: () => watches.watch(session, 'lobby').then(({ afterwards }) => afterwards?.()),
    unwatch: () => watches.unwatch(session, 'lobby'),
    answer: (index: number) => at(index).answer(),
    refuse: (index: number) => at(index).refuse(),
  };
}

const REFUSED = { code: 'unavailable' };

test('a refused second request does not end a watch, and loses no difference', async () => {
  const { watch, answer, refuse, diff, shown, watched } = rig();
  const first = watch();
  diff(1);
  answer(0);
  await first;
  diff(2);
  const repeat = watch();
  diff(3);
  refuse(1);
  await assert.rejects(repeat, REFUSED);
  diff(4);
  assert.deepEqual(shown, [1, 2, 3, 4]);
  assert.deepEqual([...watched], ['lobby']);
});

test('of two concurrent requests, the refusal of one keeps the watch of the other', async () => {
  for (const refusedFirst of [true, false]) {
    const { watch, answer, refuse, diff, shown, watched } = rig();
    const [one, two] = [watch(), watch()];
    // Handled here, because the promise rejects before it is awaited.
    const outcomes = Promise.allSettled([one, two]);
    if (refusedFirst) {
      refuse(0);
      await one.catch(() => {});
      diff(1);
      answer(1);
    } else {
      answer(0);
      await one;
      diff(1);
      refuse(1);
    }
    await outcomes;
    diff(2);
    assert.deepEqual(shown, [1, 2]);
    assert.deepEqual([...watched], ['lobby']);
  }
});

test('a refused first request leaves no watch', async () => {
  const { watch, refuse, diff, shown, watched } = rig();
  const first = watch();
  refuse(0);
  await assert.rejects(first, REFUSED);
  diff(1);
  assert.deepEqual(shown, []);
  assert.deepEqual([...watched], []);
});

test('after an unwatch, a late answer starts no watch', async () => {
  const { watch, unwatch, answer, refuse, diff, shown, watched } = rig();
  const first = watch();
  unwatch();
  answer(0);
  await first;
  diff(1);
  assert.deepEqual([...watched], []);
  const again = watch();
  answer(1);
  await again;
  const repeat = watch();
  unwatch();
  refuse(2);
  await assert.rejects(repeat, REFUSED);
  diff(2);
  assert.deepEqual(shown, []);
  assert.deepEqual([...watched], []);
});

test('a watch without a join ends when the user may no longer see the room, but not while the store is unhealthy', async () => {
  const { watch, answer, recheck, watched, subscriptions } = rig();
  const first = watch();
  answer(0);
  await first;
  await recheck();
  await recheck(new MaruError('unavailable', 'ill'));
  subscriptions.set('lobby', {});
  await recheck(new MaruError('forbidden', 'banned'));
  assert.deepEqual([...watched], ['lobby'], 'delivery ends the watch of a member');
  subscriptions.clear();
  await recheck(new MaruError('forbidden', 'banned'));
  assert.deepEqual([...watched], []);
});
