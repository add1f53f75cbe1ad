/** Requests of the fake server about conversations. */
import { type Entry, LIMITS, type UserRef } from '@maru/protocol';
import { accepted, fakeError, type Payload, refused, stored } from './answers.ts';
import type { FakeRoom } from './fake-room.ts';
import type { FaultSwitches } from './fault-switches.ts';

export const ACTS = ['message:edit', 'message:delete', 'message:react', 'message:pin'] as const;

/** @returns the answer, and the entry to store if there is one */
export function actOn(
  room: FakeRoom,
  user: UserRef,
  event: (typeof ACTS)[number],
  payload: Payload,
  { refuseActs }: Pick<FaultSwitches, 'refuseActs'>,
): { answer: object; entry?: Entry } {
  if (refuseActs !== null && refuseActs.times-- > 0) return { answer: refused(refuseActs.error) };
  const { room: _, clientMsgId, ...data } = payload as Payload & { seq: number; clientMsgId: string };
  const type = event.replace(':', '.');
  const key = `${user.id}\n${clientMsgId}`;
  const content = JSON.stringify([type, data]);
  const known = room.sent.get(key);
  if (known !== undefined)
    return { answer: known.content === content ? stored(known.entry, true) : refused(fakeError('conflict')) };
  const { conversation } = room;
  const message = conversation.message(data.seq);
  const isGone = message === undefined || (type !== 'message.delete' && conversation.isDeleted(data.seq));
  if (isGone || room.fault.refusesActs()) return { answer: refused(fakeError('not_found')) };
  const isOwn = message.from.id === user.id;
  if (!isOwn && (type === 'message.edit' || type === 'message.delete'))
    return { answer: refused(fakeError('forbidden')) };
  const entry = room.newAct(user, clientMsgId, type, { data });
  if (conversation.isSo(user.id, type, data)) return { answer: stored({ ...entry, seq: room.head }, true) };
  room.sent.set(key, { content, entry });
  return { answer: stored(entry, false), entry };
}

/** `archivedBelow`: older messages cannot be read. */
export function readMessages(payload: Payload, room: FakeRoom, reader: string, archivedBelow = 0): object {
  const {
    before,
    after,
    around: seq,
    at,
    thread,
    pinned,
    limit = LIMITS.pageEntriesDefault,
  } = payload as Payload & Partial<Record<'before' | 'after' | 'around' | 'at' | 'thread' | 'limit', number>>;
  const all = room.entriesFor(reader).filter((entry) => {
    if (entry.type !== 'text') return false;
    return (thread === undefined || entry.thread === thread) && (pinned !== true || entry.pinned === true);
  });
  const around = at === undefined ? seq : (all.find(({ ts }) => ts >= at)?.seq ?? room.head + 1) - 1;
  const upper = before ?? (around === undefined ? Number.POSITIVE_INFINITY : around + 1);
  const older = all.filter(({ seq }) => seq < upper);
  const newer = all.filter(({ seq }) => seq > (after ?? Number(around)));
  const half = Math.ceil(limit / 2);
  const messages =
    after !== undefined
      ? newer.slice(0, limit)
      : around === undefined
        ? older.slice(-limit)
        : [...older.slice(-half), ...newer.slice(0, limit - Math.min(half, older.length))];
  if (messages.some(({ seq }) => seq < archivedBelow)) return refused(fakeError('unavailable'));
  const [first, last] = [messages[0]?.seq ?? 0, messages.at(-1)?.seq ?? Number.POSITIVE_INFINITY];
  return accepted({
    epoch: room.epoch,
    head: room.head,
    messages,
    hasMore: all.some(({ seq }) => seq < first),
    hasNewer: all.some(({ seq }) => seq > last),
  });
}

/** All rooms: the fake server has no list of a user's rooms. */
/** `listed`: data of the list about a room, in addition to its log. */
export function readRooms(rooms: readonly FakeRoom[], user: string, listed: (room: string) => object): object {
  return accepted({
    rooms: rooms.map((room) => {
      const { seq, n, unread, mentions } = room.read(user, 0);
      const last = room.entriesFor(user).findLast(({ type }) => type === 'text');
      return {
        room: room.id,
        title: '',
        visibility: 'public',
        role: 'member',
        ...room.state,
        ...(last === undefined ? {} : { last }),
        read: { seq, n },
        unread,
        mentions,
        notify: 'all',
        ...listed(room.id),
      };
    }),
  });
}
