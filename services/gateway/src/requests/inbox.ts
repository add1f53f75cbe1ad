/** Requests about a user's room list and read positions. */
import { isDirectRoomId, isPrivateRoomId, LIMITS, MaruError, type ReadData } from '@maru/protocol';
import type { Inbox } from '../inbox/inbox.ts';
import type { ReadMyRooms } from '../inbox/my-rooms.ts';
import type { ReadState } from '../inbox/read-state.ts';
import type { RoomList } from '../inbox/room-list.ts';
import { MEMBER_ANSWER_BYTES } from '../limits/answer-cost.ts';
import { READ_POSITION_BYTES } from '../limits/stored-bytes.ts';
import type { UserQuota } from '../limits/user-quota.ts';
import { READS_QUEUE, roomQueue } from '../rooms/work-queues.ts';
import type { Caller, Handlers, MayRead } from './handler.ts';

type InboxEvents = 'rooms:mine' | 'room:follow' | 'room:read' | 'room:readers';

export function inboxHandlers(parts: {
  readMyRooms: ReadMyRooms;
  roomList: Pick<RoomList, 'set' | 'unfollow'>;
  readState: Pick<ReadState, 'move' | 'readers'>;
  quota: Pick<UserQuota, 'take' | 'giveBack'>;
  inbox: Inbox;
  mayRead: MayRead;
}): Pick<Handlers, InboxEvents> {
  const { readMyRooms, roomList, readState, quota, inbox, mayRead } = parts;

  /** A first position in a room stays in the store, so it costs bytes. */
  const read = async ({ user }: Caller, room: string, seq: number): Promise<ReadData> => {
    const waitMs = await quota.take(user.id, READ_POSITION_BYTES, 0);
    const giveBack = () => {
      if (waitMs === 0) quota.giveBack(user.id, READ_POSITION_BYTES, 0);
    };
    const move = await readState.move(user.id, room, seq, waitMs === 0).catch((error: unknown) => {
      // After `unavailable`, the position may be stored.
      if (error instanceof MaruError && error.code !== 'unavailable') giveBack();
      throw error;
    });
    if (move.outcome === 'refused')
      throw new MaruError('rate_limited', 'you have stored too much in an hour', { retryAfterMs: waitMs });
    if (move.outcome !== 'new') giveBack();
    if (move.outcome !== 'same') inbox.tell([user.id], { type: 'read', room, ...move.data });
    return move.data;
  };

  return {
    // One page at a time, so a connection holds at most one page in memory.
    'rooms:mine': (caller, request) =>
      caller.queues.run(READS_QUEUE, async () => {
        const { data, chars } = await readMyRooms(caller.user.id, request);
        caller.charge(chars);
        return { data };
      }),

    async 'room:follow'({ user }, { room, active, notify }) {
      await mayRead(user.id, room);
      if (!isPrivateRoomId(room)) {
        if (active) await roomList.set(user.id, room, 'follow', notify);
        else await roomList.unfollow(user.id, room);
        return { data: {} };
      }
      if (!active) {
        const instead = isDirectRoomId(room) ? 'set notify to none' : 'leave it with room:quit, or set notify to none';
        throw new MaruError('invalid', `active: a member always follows a private room; ${instead}`);
      }
      await roomList.set(user.id, room, 'member', notify);
      return { data: {} };
    },

    // Runs after an earlier join of this connection, which may create the room.
    'room:read': (caller, { room, seq }) =>
      caller.queues.after(roomQueue(room), async () => ({ data: await read(caller, room, seq) })),

    async 'room:readers'(caller, { room }) {
      const readers = await readState.readers(caller.user.id, room);
      caller.charge(LIMITS.receiptMembersMax * MEMBER_ANSWER_BYTES);
      return { data: { readers } };
    },
  };
}
