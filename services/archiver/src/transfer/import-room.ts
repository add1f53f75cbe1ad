/**
 * Imports a room from lines of JSON. All entries go into the archive, and the newest ones also into
 * the hot log, so the room can continue. Until the end, the room is closed. An interrupted import
 * continues when it is called again with the same file.
 */
import { type Archive, archiveBatch, epochNumber, type LogEntry, readArchivedRoom } from '@maru/archive-db';
import { isDirectRoomId, isPrivateRoomId } from '@maru/protocol';
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import { type Command, hotCommands, KEY, readHotPart } from './hot-part.ts';
import {
  publicRoomsKey,
  roomErasedKey,
  roomIdsKey,
  roomLogKey,
  roomMetaKey,
  roomOverlayKey,
  roomPinsKey,
  roomReactionsPrefix,
  roomReadsKey,
  roomRepliesPrefix,
  roomRolesKey,
  userRoomListKey,
} from './keys.ts';
import type { Header } from './line-schemas.ts';
import { RoomLines } from './room-lines.ts';
import type { Spool } from './spool.ts';

export const claimScript = loadScript(new URL('./claim-room.lua', import.meta.url));
export const applyScript = loadScript(new URL('./apply-import.lua', import.meta.url));

/** Number of the newest entries that also go into the hot log. A gateway trims them like others. */
const HOT_ENTRIES = 2_000;
/** Entries of one transaction. */
const BATCH_ENTRIES = 500;
const BATCH_BYTES = 1_048_576;
const COMMANDS_AT_ONCE = 200;
const CANDIDATE_CHARS = 20;
const WRITE_DEADLINE_MS = 60_000;

export interface ImportOptions {
  archive: Archive;
  store: RedisStore;
  file: Spool;
  room: string;
  /** Overrides the title in the header. */
  title: string | undefined;
  /** User id → role. They override the roles in the header. */
  roles: Record<string, string>;
  nowMs: number;
  onProgress: (step: 'checked' | 'archived', entries: number) => void;
}

/** The import was refused before anything was stored. */
export class ImportRefused extends Error {}

export async function importRoom(options: ImportOptions): Promise<{ entries: number; epoch: string }> {
  const { file, room, onProgress } = options;
  const checked = new RoomLines(options);
  for await (const line of file.lines()) {
    checked.add(line);
    if (checked.entries % BATCH_ENTRIES === 0) onProgress('checked', checked.entries);
  }
  checked.end();
  const roles = rolesOf(options, checked.header);
  const { epoch, cleared } = await claim(options);
  await archiveLines(options, epoch, cleared);
  const last = checked.first + checked.entries - 1;
  await apply(options, await roomCommands({ ...options, header: checked.header, roles, first: checked.first, last }));
  if (!isPrivateRoomId(room))
    await options.store.at(publicRoomsKey(), (redis) => redis.zadd(publicRoomsKey(), 0, room));
  return { entries: checked.entries, epoch };
}

function rolesOf({ room, roles: given }: ImportOptions, header: Header | undefined): Record<string, string> {
  const roles = Object.keys(given).length > 0 ? given : (header?.roles ?? {});
  if (isDirectRoomId(room)) throw new ImportRefused('a direct room cannot be imported: import it as a private one');
  if (isPrivateRoomId(room) && !Object.values(roles).includes('owner'))
    throw new ImportRefused('a private room needs an owner: --owner USER');
  return roles;
}

async function claim({ archive, store, file, room }: ImportOptions): Promise<{ epoch: string; cleared: number }> {
  const known = await archive.read((tx) => readArchivedRoom(tx, room));
  const keys = [roomMetaKey(room), roomLogKey(room)];
  const candidate = file.digest.slice(0, CANDIDATE_CHARS);
  // An interrupted import has created the row with this epoch.
  const isOurs = known?.epoch.endsWith(`.${candidate}`) === true;
  const number = known === undefined ? 1 : epochNumber(known.epoch) + (isOurs ? 0 : 1);
  if (known !== undefined && !isOurs && known.position >= known.first && !(await isDeleted(store, room)))
    throw new ImportRefused('the archive has a room with this id');
  const args = [file.digest, number, candidate, isPrivateRoomId(room) ? 'private' : 'public'];
  const [epoch, cleared] = (await runScript(store, claimScript, keys, args)) as [string?, string?];
  if (epoch === undefined) throw new ImportRefused('a room with this id exists');
  return { epoch, cleared: Number(cleared) };
}

/** If the room was deleted, the archiver will remove its rows, unless it already has. */
const isDeleted = async (store: RedisStore, room: string): Promise<boolean> => {
  const key = roomMetaKey(room);
  return (await store.at(key, (redis) => redis.hexists(key, 'deleted'))) === 1;
};

async function archiveLines(options: ImportOptions, epoch: string, cleared: number): Promise<void> {
  const { archive, file, room, onProgress } = options;
  const lines = new RoomLines(options);
  const known = await archive.read((tx) => readArchivedRoom(tx, room));
  const position = known?.epoch === epoch ? known.position : 0;
  let seen = known?.epoch;
  let batch: LogEntry[] = [];
  let bytes = 0;
  const flush = async () => {
    const shared = { room, epoch, base: 0, hotFirst: lines.first, private: isPrivateRoomId(room), cleared };
    const write = { ...shared, seen, entries: batch };
    const result = await archive.write((tx) => archiveBatch(tx, write), { deadlineMs: WRITE_DEADLINE_MS });
    if (result.outcome !== 'archived') throw new Error('the archive was changed by another process');
    seen = epoch;
    onProgress('archived', lines.entries);
    [batch, bytes] = [[], 0];
  };
  for await (const line of file.lines()) {
    const entry = lines.add(line);
    if (entry === undefined || entry.seq <= position) continue;
    batch.push(entry);
    bytes += entry.head.length + entry.tail.length;
    if (batch.length >= BATCH_ENTRIES || bytes >= BATCH_BYTES) await flush();
  }
  if (batch.length > 0) await flush();
}

interface Imported extends ImportOptions {
  header: Header | undefined;
  first: number;
  last: number;
}

/** All commands that complete the room. The last one opens the room. */
async function roomCommands(imported: Imported): Promise<Command[]> {
  const { archive, store, room, roles, header, first, last, title = header?.title ?? '' } = imported;
  const from = Math.max(first, last - HOT_ENTRIES + 1);
  const part = await archive.read((tx) => readHotPart(tx, room, from), { deadlineMs: WRITE_DEADLINE_MS });
  const { before, n, pins } = await archive.read(async (tx) => {
    const [message] = await tx.query<{ seq: number }>(
      'SELECT seq FROM messages WHERE room = $1 AND seq < $2 ORDER BY seq DESC LIMIT 1',
      [room, from],
    );
    const [newest] = await tx.query<{ n: number }>('SELECT n FROM entries WHERE room = $1 AND seq = $2', [room, last]);
    const pinned = await tx.query<{ seq: number }>('SELECT seq FROM messages WHERE room = $1 AND pinned', [room]);
    return { before: message?.seq ?? 0, n: newest?.n ?? 0, pins: pinned };
  });
  const users = Object.entries(roles);
  // A list may contain a room too early, but never too late.
  if (isPrivateRoomId(room)) for (const [user] of users) await list(store, user, room, imported.nowMs);
  const { topic = '', readOnly = false, slowModeS = 0 } = header ?? {};
  const settings = [
    ...(topic === '' ? [] : ['topic', topic]),
    ...(readOnly ? ['readOnly', '1'] : []),
    ...(slowModeS > 0 ? ['slowModeS', String(slowModeS)] : []),
  ];
  const owner = users.find(([, role]) => role === 'owner')?.[0];
  const meta = ['title', title, 'first', from, 'archived', last, 'archivedFrom', first, ...settings];
  const guarded = readOnly || slowModeS > 0 ? [] : ['guarded'];
  return [
    // What an earlier attempt left.
    ...[KEY.log, KEY.ids, KEY.erased, KEY.overlay, KEY.pins, KEY.roles, KEY.reads].map(
      (key): Command => ['DEL', key, ''],
    ),
    ...part.states.flatMap(({ seq }): Command[] => [
      ['DEL', KEY.reactions, `${seq}`],
      ['DEL', KEY.replies, `${seq}`],
    ]),
    ...hotCommands(part, before),
    ...pins.map(({ seq }): Command => ['ZADD', KEY.pins, '', seq, `${seq}`]),
    ...users.map(([user, role]): Command => ['HSET', KEY.roles, '', user, role]),
    // Messages from before the members joined count as read.
    ...users.map(([user]): Command => ['HSET', KEY.reads, '', user, `${last} ${n}`]),
    ['HSET', KEY.meta, '', ...meta, ...(owner === undefined ? [] : ['owner', owner])],
    ['HDEL', KEY.meta, '', 'importing', 'closed', ...guarded],
  ];
}

const list = (store: RedisStore, user: string, room: string, nowMs: number): Promise<unknown> =>
  store.at(userRoomListKey(user), (redis) => redis.hsetnx(userRoomListKey(user), room, `${nowMs} member all`));

async function apply({ store, file, room }: ImportOptions, commands: Command[]): Promise<void> {
  const keys = [
    roomMetaKey(room),
    roomLogKey(room),
    roomIdsKey(room),
    roomErasedKey(room),
    roomOverlayKey(room),
    roomPinsKey(room),
    roomReadsKey(room),
    roomRolesKey(room),
    roomReactionsPrefix(room),
    roomRepliesPrefix(room),
  ];
  for (let start = 0; start < commands.length; start += COMMANDS_AT_ONCE) {
    const some = commands.slice(start, start + COMMANDS_AT_ONCE);
    const applied = await runScript(store, applyScript, keys, [file.digest, JSON.stringify(some)]);
    if (applied !== 1) throw new Error('another process has ended this import');
  }
}
