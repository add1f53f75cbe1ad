import type { ChatClient } from '@maru/client';
import type { Role } from '@maru/protocol/events';

/** Maximum pages of members to read for one person's role. A room has at most 5,000 members. */
const MEMBER_PAGES_MAX = 25;

/** A user who is not in the list is a member. Rejects with MaruError. */
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
