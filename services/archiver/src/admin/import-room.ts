/**
 * `node services/archiver/src/admin/import-room.ts --room ROOM < FILE`: a separate program for
 * operators. Exit codes: see `runCommand`.
 */
import { randomBytes } from 'node:crypto';
import { PRIVATE_ROOM_PREFIX, roomId, userId } from '@maru/protocol';
import { ConfigError } from '@maru/service-kit';
import { ImportRefused, importRoom } from '../transfer/import-room.ts';
import { LineError } from '../transfer/room-lines.ts';
import { spool } from '../transfer/spool.ts';
import { runCommand } from './command.ts';

const HELP = `Usage: node services/archiver/src/admin/import-room.ts (--room ROOM | --as private) [--title TITLE]
       [--owner USER] [--members USER,USER,…] < FILE

Makes a room that does not exist from lines of JSON: docs/archive.md. Prints the id of the room. Needs MARU_REDIS_URL
and MARU_POSTGRES_URL. The whole file is checked first; a wrong line stores nothing. The room is closed until the end.
After an interruption, call it again with the same file and the same --room: it goes on.

  --room ROOM   the id; p-… makes a private room
  --as private  a private room with a new id
  --title       replaces the title in the file
  --owner       owns the room; with --members, replaces the roles in the file. A private room needs one
  --members     members of a private room`;

const REPORT_EVERY_MS = 2_000;

interface Given {
  room: string;
  title: string | undefined;
  roles: Record<string, string>;
}

function parse(given: Partial<Record<string, string>>): Given {
  const { room, as, title, owner, members = '' } = given;
  const users = members === '' ? [] : members.split(',');
  const isUnderstood =
    (room === undefined) !== (as === undefined) &&
    (room === undefined ? as === 'private' : roomId.safeParse(room).success) &&
    [...users, ...(owner === undefined ? [] : [owner])].every((user) => userId.safeParse(user).success);
  if (!isUnderstood) throw new ConfigError(HELP);
  const roles = Object.fromEntries(users.map((user) => [user, 'member']));
  if (owner !== undefined) roles[owner] = 'owner';
  return { room: room ?? PRIVATE_ROOM_PREFIX + randomBytes(16).toString('hex'), title, roles };
}

await runCommand({
  name: 'import-room',
  help: HELP,
  options: ['room', 'as', 'title', 'owner', 'members'],
  refusals: [ImportRefused, LineError],
  parse,
  async run(stores, given) {
    console.error(`importing into ${given.room}`);
    const file = await spool(process.stdin);
    let reportedAt = performance.now();
    try {
      const { entries } = await importRoom({
        ...{ ...stores, ...given, file, nowMs: Date.now() },
        onProgress(step, count) {
          if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
          reportedAt = performance.now();
          console.error(`${count} entries ${step}`);
        },
      });
      console.error(`${entries} entries imported`);
      console.log(given.room);
    } finally {
      await file.remove();
    }
  },
});
