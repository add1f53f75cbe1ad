/**
 * `node services/gateway/src/admin/user-rooms.ts USER [--delete [--yes]]` with MARU_REDIS_URL: a
 * program of its own beside the gateway, for operators. Prints one line of JSON for each room.
 * Exits 0 when done, 1 when Redis failed in between (then run it again), 2 when it was called
 * wrongly.
 */
import { userId } from '@maru/protocol';
import { asRedisAddress, openRedis } from '@maru/redis-store';
import { ConfigError, createLogger, readConfig, withFileValues } from '@maru/service-kit';
import { deleteRoomOf, findRoomsOf } from './rooms-of-user.ts';

const HELP = `Usage: node services/gateway/src/admin/user-rooms.ts USER [--delete [--yes]]

Lists the rooms that the user with this id created or wrote first in, in the Redis that MARU_REDIS_URL names: one line
of JSON for each room. Messages of the user in rooms of others are not listed.

  --delete   say what would be deleted: each room with all its messages, also those of others
  --yes      with --delete: delete it. There is no way back, except a backup`;

const FIELDS = {
  redisUrl: { env: 'MARU_REDIS_URL', doc: 'Redis, as the gateways know it', parse: asRedisAddress, secret: true },
};
const CALL_DEADLINE_MS = 5_000;
const STORE_WAIT_MS = 10_000;

interface Command {
  user: string;
  action: 'list' | 'rehearse' | 'delete';
}

/** Undefined if the arguments are not understood. */
function parseArguments(args: string[]): Command | undefined {
  const [user, ...rest] = args.filter((arg) => !arg.startsWith('--'));
  const flags = args.filter((arg) => arg.startsWith('--'));
  const isKnown = flags.every((flag) => flag === '--delete' || flag === '--yes');
  if (!isKnown || rest.length > 0 || !userId.safeParse(user).success || user === undefined) return undefined;
  if (!flags.includes('--delete')) return flags.length === 0 ? { user, action: 'list' } : undefined;
  return { user, action: flags.includes('--yes') ? 'delete' : 'rehearse' };
}

async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(HELP);
    return 0;
  }
  const command = parseArguments(args);
  if (command === undefined) {
    console.error(HELP);
    return 2;
  }
  const { user, action } = command;
  const { redisUrl } = readConfig(FIELDS, withFileValues(process.env));
  const logger = createLogger({ service: 'user-rooms', node: 'admin', level: 'silent' });
  const source = openRedis(redisUrl, { node: 'admin', logger });
  const store = source.open('user-rooms', CALL_DEADLINE_MS);
  try {
    if (!(await store.untilReady(STORE_WAIT_MS))) throw new Error('Redis could not be reached');
    const rooms = await findRoomsOf(store, user);
    for (const room of rooms) {
      if (action === 'delete') await deleteRoomOf(store, user, room.room);
      console.log(JSON.stringify(room));
    }
    const done = { list: 'found', rehearse: 'would be deleted; repeat with --yes', delete: 'deleted' }[action];
    console.error(`${rooms.length} rooms ${done}`);
    return 0;
  } catch (error) {
    console.error(`not finished: ${error instanceof Error ? error.message : String(error)}. Run it again.`);
    return 1;
  } finally {
    await store.close();
    source.close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 2;
}
