import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '../delivery/delivery.ts';
import type { Resumed } from '../delivery/resumes.ts';
import type { PacketBatch } from '../edge/packets.ts';
import { createResumeRooms } from './resume.ts';
import type { RoomSession } from './room-session.ts';
import { Subscription } from './subscription.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Resumes two rooms of one connection. The test decides when the transport takes the first one. */
async function resumeTwo(reason: Resumed['reason'] = undefined) {
  const sent: string[] = [];
  const begun: Array<{ room: string; after: number; permittedSeq: number | undefined }> = [];
  const stale = new Set<string>();
  let take: () => void = () => {};
  const subscriptions = new Map<string, Subscription>();
  const session = {
    user: { id: 'mina', name: 'Mina' },
    closed: false,
    subscriptions,
    sendBatch: ({ packets }: PacketBatch) => void sent.push(...packets),
    drained: () =>
      new Promise<void>((resolve) => {
        take = resolve;
      }),
  } as unknown as RoomSession;
  const read = (room: string): Resumed => ({
    ...{ epoch: '1.a', head: 9, n: 9, first: 1, reason },
    packets: reason === undefined ? [`secret of ${room}`] : [],
  });
  const resumeRooms = createResumeRooms({
    delivery: {
      resume: async (_session: unknown, room: string) => read(room),
      isStale: (room: string, { epoch, head }: { epoch: string; head: number }) => {
        assert.deepEqual([epoch, head], ['1.a', 9]);
        return stale.has(room);
      },
    } as unknown as Delivery,
    subscriptions: {
      leaveIfClosed() {},
      add(_session: unknown, room: string) {
        const subscription = new Subscription();
        subscriptions.set(room, subscription);
        return subscription;
      },
      beginDelivery: async (
        _session: unknown,
        room: string,
        _subscription: unknown,
        { seq }: { seq: number },
        permittedSeq?: number,
      ) => void begun.push({ room, after: seq, permittedSeq }),
    } as unknown as Subscriptions<RoomSession>,
    takeResume: () => undefined,
    onResume() {},
  });
  const position = { epoch: '1.a', seq: 4 };
  const { rooms, deliver } = await resumeRooms(session, { slow: position, tea: position }, () => {});
  const delivered = deliver();
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { rooms, sent, begun, stale, delivered, settled, take: () => take() };
}

test('held packets of a room in which a message was deleted are read again instead of sent', async () => {
  const { rooms, sent, begun, stale, delivered, settled, take } = await resumeTwo();
  await settled();
  assert.deepEqual(sent, ['secret of slow']);
  stale.add('tea');
  take();
  await delivered;
  assert.deepEqual(sent, ['secret of slow']);
  assert.deepEqual(begun, [
    { room: 'slow', after: 9, permittedSeq: undefined },
    { room: 'tea', after: 4, permittedSeq: 9 },
  ]);
  assert.deepEqual(rooms.tea, { epoch: '1.a', head: 9, n: 9, first: 1, recovered: true });
});

test('a room that was not recovered continues after its head, whatever was deleted', async () => {
  const { begun, stale, delivered } = await resumeTwo('trimmed');
  stale.add('tea');
  await delivered;
  assert.deepEqual(
    begun.map(({ room, after }) => [room, after]),
    [
      ['slow', 9],
      ['tea', 9],
    ],
  );
});
