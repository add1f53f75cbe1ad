/**
 * The check of a quiet room at the end of a trial: entries against the history, and every view and
 * count against fresh reads and a model of the log.
 */
import type { Entry, MyRoom } from '@maru/protocol';
import type { RoomModel } from '@maru/testkit/checker/room-model';
import type { Crowd } from './crowd.ts';
import type { Environment } from './environment.ts';
import type { Member } from './member.ts';

export interface Checked {
  room: string;
  crowd: Crowd;
  rollbacks: number;
  mayLose: boolean;
  archive?: Environment['archive'];
  /** How long reads are repeated. */
  readMs: number;
}

const PAGE = 200;
const THREADS_MAX = 10;
const lists = new WeakMap<Member, Promise<MyRoom[]>>();

/** @returns the violations of the room */
export async function checkRoomAtEnd(checked: Checked): Promise<string[]> {
  const { room, crowd, rollbacks, mayLose, readMs } = checked;
  const checker = crowd.rooms.get(room);
  if (checker === undefined) return [];
  const deadlineMs = Date.now() + readMs;
  const history = await crowd.history(room, readMs);
  const model = checker.model(history);
  // Without the oldest entries, the log does not determine the state of all messages. A deletion
  // erases the archived text. After a rollback of the deletion, the text is still gone.
  const isExact = checked.archive === undefined || rollbacks === 0;
  const isWhole = history[0]?.seq === 1 && isExact;
  const keptFrom = checked.archive === undefined ? 1 : model.head - checked.archive.keptEntries + 1;
  const members = crowd.members.filter((member) => member.ready && crowd.roomsOf(member).has(room));
  const [reader] = members;
  if (reader !== undefined && isWhole) {
    const differences = await readEverything({ room, crowd, deadlineMs, model, reader });
    checker.differs(`a read by ${reader.user}`, differences);
  }
  for (const member of members) {
    const of = crowd.roomsOf(member).get(room);
    const page = await crowd.ask('messages:read', { room, limit: PAGE }, deadlineMs, member);
    if (of?.joins && isExact) of.compare(page);
    if (!isWhole || of === undefined) continue;
    checker.differs(`a read by ${member.user}`, model.readDifferences(member.user, page.messages));
    const listed = (await roomsOf(crowd, member, deadlineMs)).find((one) => one.room === room);
    of.compareCounts({ listed, model, nothingLost: rollbacks === 0 && !mayLose, keptFrom });
  }
  const archived = (await checked.archive?.check(room, history)) ?? [];
  return [...checker.finish({ history, rollbacks, mayLose }), ...archived];
}

/** All messages, the pinned ones, and some threads, as read by one user. */
async function readEverything(options: {
  room: string;
  crowd: Crowd;
  deadlineMs: number;
  model: RoomModel;
  reader: Member;
}): Promise<string[]> {
  const { room, crowd, deadlineMs, model, reader } = options;
  const read = async (which: { thread?: number; pinned?: true }): Promise<Entry[]> => {
    const messages: Entry[] = [];
    for (let after = 0; ; after = messages.at(-1)?.seq ?? after) {
      const page = await crowd.ask('messages:read', { room, after, limit: PAGE, ...which }, deadlineMs, reader);
      messages.push(...page.messages);
      if (!page.hasNewer || page.messages.length === 0) return messages;
    }
  };
  const { user } = reader;
  const differences = [
    ...model.readDifferences(user, await read({}), () => true),
    ...model.readDifferences(user, await read({ pinned: true }), ({ pinned }) => pinned),
  ];
  const roots = [...model.messages.values()].filter(({ replies }) => replies.n > 0).slice(-THREADS_MAX);
  for (const { seq } of roots)
    differences.push(...model.readDifferences(user, await read({ thread: seq }), ({ thread }) => thread === seq));
  return differences;
}

/** The crowd is quiet, so the list is read only once. */
function roomsOf(crowd: Crowd, member: Member, deadlineMs: number): Promise<MyRoom[]> {
  const known = lists.get(member) ?? listRooms(crowd, member, deadlineMs);
  lists.set(member, known);
  return known;
}

async function listRooms(crowd: Crowd, member: Member, deadlineMs: number): Promise<MyRoom[]> {
  const rooms: MyRoom[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await crowd.ask('rooms:mine', cursor === undefined ? {} : { cursor }, deadlineMs, member);
    rooms.push(...page.rooms);
    cursor = page.cursor;
    if (cursor === undefined) return rooms;
  }
}
