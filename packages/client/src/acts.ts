/** Acts on rooms and members: their form in entries, and which roles allow them. Pure. */
import type { ActEntries, Entry, MessageActEntries, Role, Visibility } from '@maru/protocol/events';

export type RoomAct = { [T in keyof ActEntries]: { type: T } & ActEntries[T] }[keyof ActEntries];

/** How an entry changes the message `seq`. */
export type MessageChange = {
  [T in keyof MessageActEntries]: { type: T } & MessageActEntries[T];
}[keyof MessageActEntries];

const CHANGE_TYPES: Record<keyof MessageActEntries, true> = {
  'message.edit': true,
  'message.delete': true,
  'message.react': true,
  'message.pin': true,
};

const ACT_TYPES: Record<keyof ActEntries, true> = {
  'room.update': true,
  'room.role': true,
  'room.kick': true,
  'room.ban': true,
  'room.unban': true,
  'room.mute': true,
  'room.unmute': true,
  'room.invite': true,
  'room.leave': true,
};

/** The act on a room or a member that an entry stores; null for others. */
export const actOf = (entry: Entry): RoomAct | null => of<RoomAct>(ACT_TYPES, entry);

/** How an entry changes a message; null for others. */
export const changeOf = (entry: Entry): MessageChange | null => of<MessageChange>(CHANGE_TYPES, entry);

function of<T>(types: object, { type, data }: Entry): T | null {
  if (!Object.hasOwn(types, type) || typeof data !== 'object' || data === null) return null;
  return { ...data, type } as T;
}

export type ActName =
  | 'update'
  | 'delete'
  | 'quit'
  | 'role'
  | 'invite'
  | 'kick'
  | 'ban'
  | 'unban'
  | 'mute'
  | 'unmute'
  | 'bans'
  | 'reports'
  | 'report'
  /** Editing a message: only its author may. */
  | 'edit'
  | 'erase'
  | 'pin';

export interface ActCase {
  /** `admin`: a user with the role `admin`, which counts in public rooms. */
  ownRole: Role | 'admin';
  /** The role of the affected user. In a public room, a user without a role is a member. */
  targetRole?: Role;
  isSelf?: boolean;
  visibility: Visibility;
}

const RANKS = { member: 1, moderator: 2, owner: 3, admin: 4 } as const;

/**
 * Whether a role allows an act. A host offers only allowed acts. The server decides and may still
 * refuse: for example, the last owner cannot leave.
 */
export function mayDo(act: ActName, { ownRole, targetRole = 'member', isSelf = false, visibility }: ActCase): boolean {
  const rank = RANKS[ownRole];
  const moderates = rank >= RANKS.moderator;
  const isAbove = !isSelf && rank > RANKS[targetRole];
  switch (act) {
    case 'report':
      return !isSelf;
    case 'edit':
      return isSelf;
    case 'erase':
      return isSelf || moderates;
    case 'pin':
      return moderates || visibility === 'direct';
    case 'quit':
      return visibility === 'private';
    case 'invite':
      return moderates && visibility === 'private';
    case 'update':
    case 'bans':
    case 'reports':
    case 'unban':
    case 'unmute':
      return moderates;
    case 'kick':
    case 'ban':
    case 'mute':
      return moderates && isAbove;
    case 'role':
      // Moderators and owners may step down.
      return isSelf ? ownRole === 'owner' || ownRole === 'moderator' : rank >= RANKS.owner && isAbove;
    case 'delete':
      return rank >= RANKS.owner;
  }
}
