/**
 * `node services/gateway/src/admin/user-rooms.ts USER [--delete [--yes]]` with MARU_REDIS_URL: a
 * separate program for operators. Prints one line of JSON for each room. Exit codes: see
 * `runCommand`.
 */
import { userId } from '@maru/protocol';
import { ConfigError } from '@maru/service-kit';
import { runCommand } from './command.ts';
import { deleteRoomOf, findRoomsOf } from './rooms-of-user.ts';

const HELP = `Usage: node services/gateway/src/admin/user-rooms.ts USER [--delete [--yes]]

Lists the rooms that the user with this id created or wrote first in, in the Redis that MARU_REDIS_URL names: one line
of JSON for each room. Messages of the user in rooms of others are not listed.

  --delete   say what would be deleted: each room with all its messages, also those of others
  --yes      with --delete: delete it. There is no way back, except a backup`;

const OUTCOMES = { list: 'found', rehearse: 'would be deleted; repeat with --yes', delete: 'deleted' } as const;

function parse(args: string[]): { user: string; action: keyof typeof OUTCOMES } {
  const [user, ...rest] = args.filter((arg) => !arg.startsWith('--'));
  const flags = new Set(args.filter((arg) => arg.startsWith('--')));
  const [isDeletion, isConfirmed] = [flags.delete('--delete'), flags.delete('--yes')];
  const isUnderstood = flags.size === 0 && rest.length === 0 && (isDeletion || !isConfirmed);
  if (!isUnderstood || user === undefined || !userId.safeParse(user).success) throw new ConfigError(HELP);
  if (!isDeletion) return { user, action: 'list' };
  return { user, action: isConfirmed ? 'delete' : 'rehearse' };
}

await runCommand({
  name: 'user-rooms',
  help: HELP,
  parse,
  async run(store, { user, action }) {
    const rooms = await findRoomsOf(store, user);
    for (const room of rooms) {
      if (action === 'delete') await deleteRoomOf(store, user, room.room);
      console.log(JSON.stringify(room));
    }
    console.error(`${rooms.length} rooms ${OUTCOMES[action]}`);
  },
});
