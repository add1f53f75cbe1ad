/** The settings of a joined room, and the own user's rights in it. Pure. */
import type { Entry, JoinData, Role, Visibility } from '@maru/protocol/events';
import { actOf } from './acts.ts';

export interface RoomDetails {
  readonly role: Role;
  readonly visibility: Visibility;
  /** May be empty. */
  readonly title: string;
  readonly topic: string;
  /** Only moderators and owners write. */
  readonly readOnly: boolean;
  /** Seconds between two messages of one member. 0 means no pause. */
  readonly slowModeS: number;
  /** The own user may not write until this time of the store's clock. 0 means without end. */
  readonly mutedUntilTs: number | null;
}

export const detailsOf = (joined: JoinData): RoomDetails => ({
  role: joined.role,
  visibility: joined.visibility,
  title: joined.title,
  topic: joined.topic ?? '',
  readOnly: joined.readOnly ?? false,
  slowModeS: joined.slowModeS ?? 0,
  mutedUntilTs: joined.mutedUntilTs ?? null,
});

/**
 * The details after the next entry of the log. Returns the same object if the entry changes
 * nothing.
 */
export function applyAct(details: RoomDetails, ownUserId: string, entry: Entry): RoomDetails {
  const act = actOf(entry);
  if (act === null) return details;
  if (act.type === 'room.update') {
    const { title = details.title, topic = details.topic } = act;
    const { readOnly = details.readOnly, slowModeS = details.slowModeS } = act;
    return { ...details, title, topic, readOnly, slowModeS };
  }
  if (act.user !== ownUserId) return details;
  switch (act.type) {
    case 'room.role':
      // Who becomes an owner is muted no more.
      return { ...details, role: act.role, mutedUntilTs: act.role === 'owner' ? null : details.mutedUntilTs };
    case 'room.ban':
      // A ban also ends the role.
      return { ...details, role: 'member' };
    case 'room.mute':
      return { ...details, mutedUntilTs: act.untilTs ?? 0 };
    case 'room.unmute':
      return { ...details, mutedUntilTs: null };
    default:
      return details;
  }
}
