/** Read positions and counts in Redis: one script call for each room. */
import { isPrivateRoomId, LIMITS, MaruError, type ReadData, type Role } from '@maru/protocol';
import { gatherWrites, loadScript, type RedisStore, runScript, type Script } from '@maru/redis-store';
import {
  roomErasedKey,
  roomLiveChannel,
  roomLogKey,
  roomMentionsKey,
  roomMetaKey,
  roomOverlayKey,
  roomReactionsPrefix,
  roomReadsKey,
  roomRolesKey,
  roomSanctionsKey,
} from '../keys.ts';
import { decodeStoredEntries, sizeOf, toEntry } from '../log/entry-codec.ts';
import { noEntry } from '../log/refusals.ts';
import type { SeenPositions } from '../log/seen-positions.ts';
import { unavailable } from '../unavailable.ts';
import type { ArchivedMove, HotReadState, Move, Summary } from './read-state.ts';

const LIBRARIES = [
  ...['room-epoch.lua', 'room-entry.lua', 'room-guard.lua', 'room-overlay.lua'].map((file) => `../log/${file}`),
  './read-state.lua',
].map((file) => new URL(file, import.meta.url));
const script = (file: string): Script => loadScript(new URL(file, import.meta.url), ...LIBRARIES);
const summaryScript = script('./room-summary.lua');
const moveScript = script('./read-position.lua');
const readersScript = script('./read-readers.lua');

export function createRedisReadState(options: { store: RedisStore; seen: SeenPositions }): HotReadState {
  const { store, seen } = options;

  /**
   * Runs a script and notes the epoch and the head, which follow the outcome in each successful
   * reply.
   */
  const run = async (
    { script: of, userId, room, keys, args }: ScriptCall,
    isOk: (outcome: string) => boolean,
  ): Promise<unknown[]> => {
    gatherWrites(store.shardOf(roomLogKey(room)));
    const all = [userId, isPrivateRoomId(room) ? '1' : '0', ...seen.scriptArguments(room), ...args];
    let reply: unknown[];
    try {
      reply = (await runScript(store, of, [...commonKeys(room), ...keys], all)) as unknown[];
    } catch (error) {
      throw unavailable(error);
    }
    if (reply[0] === 'deleted') seen.forget(room);
    if (isOk(reply[0] as string)) seen.note(room, reply[1] as string, reply[2] as number);
    return reply;
  };

  const summary = async (userId: string, room: string): Promise<Summary> => {
    const keys = [
      roomOverlayKey(room),
      roomErasedKey(room),
      roomReactionsPrefix(room),
      roomReadsKey(room),
      roomMentionsKey(room),
    ];
    const reply = await run({ script: summaryScript, userId, room, keys, args: [] }, (outcome) => outcome === 'ok');
    return toSummary(room, reply);
  };

  /** `archived`: as the script has it. */
  const move = async (
    { userId, room, seq, mayStore }: Parameters<HotReadState['moveHot']>[0],
    archived: string,
  ): Promise<Move | ArchivedMove> => {
    const keys = [roomErasedKey(room), roomReadsKey(room), roomMentionsKey(room)];
    const args = [seq, mayStore ? '1' : '0', LIMITS.receiptMembersMax, LIMITS.readPositionsPerRoomMax, archived];
    const isKnown = (outcome: string) => isMove(outcome) || outcome === 'archived';
    const reply = await run({ script: moveScript, userId, room, keys, args }, isKnown);
    return toMove(reply);
  };

  return {
    summaries: (userId, rooms) => Promise.all(rooms.map((room) => summary(userId, room))),

    async move(userId, room, seq, mayStore) {
      return (await move({ userId, room, seq, mayStore }, '')) as Move;
    },

    moveHot: (request, archived) => move(request, archived === 'ask' ? archived : `${archived.epoch} ${archived.n}`),

    async readers(userId, room) {
      const args = [LIMITS.receiptMembersMax];
      const call = { script: readersScript, userId, room, keys: [roomReadsKey(room)], args };
      const reply = await run(call, (outcome) => outcome === 'ok');
      if (reply[0] === 'large')
        throw new MaruError(
          'conflict',
          `rooms with more than ${LIMITS.receiptMembersMax} members have no list of readers`,
        );
      if (reply[0] !== 'ok') throw refusalOf(reply);
      const [, , head, flat] = reply as [string, string, number, string[]];
      return Array.from({ length: flat.length / 2 }, (_, index) => ({
        user: flat[2 * index] as string,
        seq: Math.min(head, Number.parseInt(flat[2 * index + 1] as string, 10)),
      }));
    },
  };
}

interface ScriptCall {
  script: Script;
  userId: string;
  room: string;
  /** Keys after those that all scripts have. */
  keys: string[];
  args: Array<string | number>;
}

const commonKeys = (room: string): string[] => [
  roomMetaKey(room),
  roomLogKey(room),
  roomRolesKey(room),
  roomLiveChannel(room),
  roomSanctionsKey(room),
];

const isMove = (outcome: string): outcome is 'moved' | 'new' | 'same' =>
  outcome === 'moved' || outcome === 'new' || outcome === 'same';

function toMove(reply: unknown[]): Move | ArchivedMove {
  const [outcome] = reply as [string];
  if (outcome === 'invalid') throw new MaruError('invalid', `seq: the newest entry is ${reply[1]}`);
  if (outcome === 'full') throw new MaruError('conflict', 'too many users have a read position in this room');
  if (outcome === 'refused') return { outcome };
  if (outcome === 'archived') return { outcome, epoch: reply[1] as string, archived: reply[3] as number };
  if (!isMove(outcome)) throw refusalOf(reply);
  const [n, readSeq, readN, mentions] = reply.slice(3) as [number, number, number, number];
  return { outcome, data: readDataOf(n, readSeq, readN, mentions) };
}

const readDataOf = (n: number, seq: number, readN: number, mentions: number): ReadData => ({
  seq,
  n: readN,
  unread: n - readN,
  mentions,
});

function refusalOf(reply: unknown[]): MaruError {
  if (reply[0] === 'forbidden') return noEntry(reply[1] as 'closed' | 'banned', reply[2] as number);
  return new MaruError('not_found', 'there is no such room');
}

function toSummary(room: string, reply: unknown[]): Summary {
  if (reply[0] === 'hidden') return 'hidden';
  if (reply[0] !== 'ok') return 'gone';
  const [, epoch, head, n, role, title, readSeq, readN, mentions, other, packed] = reply as [
    string,
    string,
    number,
    number,
    string,
    string,
    number,
    number,
    number,
    string,
    string,
  ];
  const entries = decodeStoredEntries(packed);
  const [last] = entries;
  return {
    epoch,
    head,
    n,
    role: role === '' ? undefined : (role as Role),
    title,
    last: last === undefined ? undefined : toEntry(room, epoch, last),
    read: readDataOf(n, readSeq, readN, mentions),
    with: other === '' ? undefined : other,
    chars: sizeOf(entries) + SUMMARY_CHARS,
  };
}

/** Size of a room without its last message, in JSON. */
const SUMMARY_CHARS = 512;
