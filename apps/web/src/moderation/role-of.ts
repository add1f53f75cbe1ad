import type { ChatClient } from '@maru/client';
import type { Role } from '@maru/protocol/events';

/** Pages of members that are read to find one person's role: a room has 5,000 at most. */
const MEMBER_PAGES_MAX = 25;

/** Rejects with MaruError. Everybody without a role is a member. */
export async function roleOf(
  { moderation }: Pick<ChatClient, 'moderation'>,
  room: string,
  user: string,
): Promise<Role> {
  let cursor: string | undefined;
  for (let page = 0; page < MEMBER_PAGES_MAX; page++) {
    const request = { limit: 200, ...(cursor === undefined ? {} : { cursor }) };
    const { members, cursor: next } = await moderation.members(room, request);
    const found = members.find((member) => member.user === user);
    if (found !== undefined) return found.role;
    if (next === undefined) break;
    cursor = next;
  }
  return 'member';
}
