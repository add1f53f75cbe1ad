/**
 * Updates the lists and inboxes of users after acts on members of private rooms. The act is an
 * entry in the room's slot, and a list is in the user's slot. So each membership starts and ends
 * with two writes. See `RoomList` for their order.
 */
import {
  type CreateData,
  isPrivateRoomId,
  MaruError,
  type RemovalReason,
  type RequestOf,
  type Role,
  type SendData,
  type UserRef,
} from '@maru/protocol';
import type { Inbox } from '../inbox/inbox.ts';
import type { Listing, RoomList } from '../inbox/room-list.ts';
import type { Act } from '../log/room-log.ts';
import type { ActOrder, Actor, CarryOut } from './acts.ts';
import type { DirectRooms } from './direct-rooms.ts';
import type { RoomDirectory } from './directory.ts';

/** Reads about a private room. Each rejects `unavailable`. */
export interface MemberLooks {
  roleOf(room: string, userId: string): Promise<Role | undefined>;
  titleOf(room: string): Promise<string>;
  members(room: string): Promise<string[]>;
}

export interface MembershipOptions {
  roomList: Pick<RoomList, 'add' | 'remove'>;
  inbox: Inbox;
  room: MemberLooks;
}

const ENDS: Partial<Record<Act['type'], RemovalReason>> = { kick: 'kicked', ban: 'banned', leave: 'left' };

export function noteMemberships(carryOut: CarryOut, options: MembershipOptions): CarryOut {
  const { roomList, inbox, room: rooms } = options;

  const welcome = async (room: string, invited: string, from: UserRef): Promise<void> => {
    inbox.tell([invited], { type: 'invite', room, title: await rooms.titleOf(room), from });
  };

  const invite = async (actor: Actor, order: ActOrder, user: string): Promise<SendData | undefined> => {
    const { room } = order;
    const role = await rooms.roleOf(room, actor.user.id);
    // The act decides. A user who may not invite must not change the lists of others.
    const mayInvite = role === 'owner' || role === 'moderator';
    const listing = mayInvite ? await roomList.add(user, room) : undefined;
    const sent = await actOrUndo(() => carryOut(actor, order), listing);
    // The actor's role has changed since.
    if (listing === undefined) await roomList.add(user, room).catch(() => {});
    // Undefined: the user is already a member.
    if (sent?.duplicate === false) welcome(room, user, actor.user).catch(() => {});
    return sent;
  };

  return async (actor, order) => {
    const { room, act } = order;
    if (!isPrivateRoomId(room)) return carryOut(actor, order);
    if (act.type === 'invite') return invite(actor, order, act.user);
    const reason = ENDS[act.type];
    if (reason === undefined || !('user' in act)) return carryOut(actor, order);
    // A ban may affect a user who has never seen the room. That user must not be notified.
    const wasMember = act.type !== 'ban' || (await rooms.roleOf(room, act.user)) !== undefined;
    const sent = await carryOut(actor, order);
    void roomList.remove(act.user, room);
    if (wasMember && sent?.duplicate === false) inbox.tell([act.user], { type: 'removed', room, reason });
    return sent;
  };
}

export type CreateRoom = (user: UserRef, request: RequestOf<'room:create'>) => Promise<CreateData>;

/** Creates rooms, and notifies the other connections of the creator, who is now a member. */
export function noteCreations(
  create: RoomDirectory['create'],
  { inbox }: Pick<MembershipOptions, 'inbox'>,
): CreateRoom {
  return async (user, request) => {
    const created = await create(user.id, request);
    const { room, title } = created;
    if (isPrivateRoomId(room)) inbox.tell([user.id], { type: 'invite', room, title, from: user });
    return created;
  };
}

export type OpenDirectRoom = (user: UserRef, otherId: string) => Promise<CreateData>;

/** Opens direct rooms, and tells both users of a new one. */
export const noteDirectRooms =
  (open: DirectRooms['open'], { inbox }: Pick<MembershipOptions, 'inbox'>): OpenDirectRoom =>
  (user, otherId) =>
    open(user.id, otherId, (room) => inbox.tell([user.id, otherId], { type: 'invite', room, title: '', from: user }));

/** Deletes rooms, and tells their members. The rooms leave their lists when these are read. */
export function noteDeletions(
  deleteRoom: RoomDirectory['delete'],
  { inbox, room: rooms }: Pick<MembershipOptions, 'inbox' | 'room'>,
): RoomDirectory['delete'] {
  return async (actor, room) => {
    const members = isPrivateRoomId(room) ? await rooms.members(room) : [];
    await deleteRoom(actor, room);
    inbox.tell(members, { type: 'removed', room, reason: 'deleted' });
  };
}

async function actOrUndo<T>(act: () => Promise<T>, listing: Listing | undefined): Promise<T> {
  try {
    const done = await act();
    listing?.settle();
    return done;
  } catch (error) {
    // After `unavailable`, the act may be stored.
    if (error instanceof MaruError && error.code !== 'unavailable') listing?.undo();
    else listing?.settle();
    throw error;
  }
}
