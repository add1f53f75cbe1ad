/**
 * `node services/archiver/src/admin/export-room.ts --room ROOM > FILE`: a separate program for
 * operators. Exit codes: see `runCommand`.
 */
import { once } from 'node:events';
import { roomId } from '@maru/protocol';
import { ConfigError } from '@maru/service-kit';
import { exportRoom } from '../transfer/export-room.ts';
import { ExportRefused } from '../transfer/hot-room.ts';
import { runCommand } from './command.ts';

const HELP = `Usage: node services/archiver/src/admin/export-room.ts --room ROOM > FILE

Writes all entries of a room as lines of JSON, after a line with its title and roles: docs/archive.md. Needs
MARU_REDIS_URL and MARU_POSTGRES_URL. The file holds what members wrote, so keep it accordingly.`;

await runCommand({
  name: 'export-room',
  help: HELP,
  options: ['room'],
  refusals: [ExportRefused],
  parse({ room }) {
    if (!roomId.safeParse(room).success) throw new ConfigError(HELP);
    return { room: room as string };
  },
  async run(stores, { room }) {
    let entries = 0;
    for await (const part of exportRoom({ ...stores, room })) {
      entries += part.entries;
      if (!process.stdout.write(part.text)) await once(process.stdout, 'drain');
    }
    console.error(`${entries} entries`);
  },
});
