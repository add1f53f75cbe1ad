/** Converts the replies of scripts that read a room. */
import { MaruError, type NotRecoveredReason, type Role } from '@maru/protocol';
import { decodeStoredEntries, nOf } from './entry-codec.ts';
import type { HotMessages, HotRead, LateChange, LateState } from './hot-log.ts';
import { noEntry } from './refusals.ts';
import type { RoomSettings } from './room-log.ts';

/** A `not_found` or `forbidden` reply becomes an error. */
export function toHotRead(reply: unknown[]): HotRead {
  if (reply[0] === 'forbidden') throw noEntry(reply[1] as 'closed' | 'banned', reply[2] as number);
  if (reply[0] !== 'ok') throw new MaruError('not_found', 'there is no such room');
  const [
    ,
    epoch,
    base,
    head,
    first,
    role,
    reason,
    n,
    guarded,
    settings,
    personal,
    entries,
    archived,
    archivedFrom,
    late,
  ] = reply as [
    string,
    string,
    number,
    number,
    number,
    string,
    string,
    number,
    number,
    Array<string | number>,
    number,
    string,
    number,
    number,
    unknown,
  ];
  return {
    epoch,
    base,
    head,
    first,
    n,
    role: role === '' ? undefined : (role as Role),
    reason: reason === '' ? undefined : (reason as NotRecoveredReason),
    guarded: guarded === 1,
    personal: personal === 1,
    settings: settings.length === 0 ? undefined : toSettings(settings),
    entries: decodeStoredEntries(entries),
    archived,
    archivedFrom,
    late: toLate(late),
  };
}

export function toHotMessages(reply: unknown[]): HotMessages {
  const [outcome, second, third] = reply as [string, string, number];
  if (outcome === 'forbidden') throw noEntry(second as 'closed' | 'banned', third);
  if (outcome === 'invalid') throw new MaruError('invalid', 'thread: this message is in a thread itself');
  if (outcome !== 'ok' && outcome !== 'archived')
    throw second === 'message' ? noSuchMessage() : new MaruError('not_found', 'there is no such room');
  const [, epoch, head, hasMore, hasNewer, entries, first, archived, archivedFrom, center, pins, late] = reply as [
    string,
    string,
    number,
    number,
    number,
    string,
    number,
    number,
    number,
    number,
    string[],
    unknown,
  ];
  return {
    ...{ epoch, head, first, archived, archivedFrom, center },
    isArchived: outcome === 'archived',
    hasMore: hasMore === 1,
    hasNewer: hasNewer === 1,
    entries: decodeStoredEntries(entries),
    pins: pins.map(Number),
    late: toLate(late),
  };
}

export const noSuchMessage = (): MaruError => new MaruError('not_found', 'there is no such message');

export function toLateState(reply: unknown[]): LateState {
  if (reply[0] !== 'ok') throw new MaruError('not_found', 'there is no such room');
  const [, epoch, head, first, newest, late] = reply as [string, string, number, number, string, unknown];
  return { epoch, head, first, newest, late: toLate(late) };
}

const LATE_FIELDS = 6;

export function toLate(reply: unknown): LateChange[] | undefined {
  if (!Array.isArray(reply)) return undefined;
  return Array.from({ length: reply.length / LATE_FIELDS }, (_, index) => {
    const fields = reply.slice(index * LATE_FIELDS, (index + 1) * LATE_FIELDS);
    const [seq, ts, author, isMessage, head, tail] = fields as [number, number, string, number, string, string];
    return { seq, ts, author, isMessage: isMessage === 1, head, tail, n: nOf(head) };
  });
}

function toSettings([title, topic, readOnly, slowModeS, mutedUntilMs]: Array<string | number>): RoomSettings {
  return {
    title: String(title),
    topic: String(topic),
    readOnly: readOnly !== '',
    slowModeS: Number(slowModeS),
    mutedUntilTs: mutedUntilMs === '' ? undefined : Number(mutedUntilMs),
  };
}
