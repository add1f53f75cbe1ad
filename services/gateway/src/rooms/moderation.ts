/**
 * Data for moderators: bans, mutes and reports. Every call rejects `unavailable` if the store does
 * not answer.
 */
import {
  type Ban,
  type BansData,
  isDirectRoomId,
  isPrivateRoomId,
  LIMITS,
  MaruError,
  type Report,
  type ReportsData,
  type RequestOf,
  type Role,
} from '@maru/protocol';
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import type { Audit } from '../audit/audit.ts';
import { roomLogKey, roomReportsKey, roomSanctionsKey } from '../keys.ts';
import { MEMBER_BYTES } from '../limits/stored-bytes.ts';
import type { UserQuota } from '../limits/user-quota.ts';
import { toEntry } from '../log/entry-codec.ts';
import type { RoomLog } from '../log/room-log.ts';
import { unavailable } from '../unavailable.ts';
import { type Actor, isAdmin } from './acts.ts';

export const reportScript = loadScript(new URL('./add-report.lua', import.meta.url));

/** A page, and the number of records that were read for it. */
export interface Listing<T> {
  data: T;
  read: number;
}

export interface Moderation {
  bans(actor: Actor, request: RequestOf<'room:bans'>): Promise<Listing<BansData>>;
  report(actor: Actor, request: RequestOf<'message:report'>): Promise<void>;
  reports(actor: Actor, request: RequestOf<'room:reports'>): Promise<Listing<ReportsData>>;
  closeReport(actor: Actor, request: RequestOf<'room:report-close'>): Promise<void>;
}

export function createModeration(options: {
  store: RedisStore;
  log: Pick<RoomLog, 'read' | 'readMessages'>;
  quota: Pick<UserQuota, 'charge' | 'giveBack'>;
  audit: Audit;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
  /** The room has a new report. Called after the report was stored. */
  onReported: (room: string) => void;
}): Moderation {
  const { store, log, quota, audit, storeNow, onReported } = options;

  const storeCall = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw unavailable(error);
    }
  };

  /** A page of a hash. Only its fields are all read, because the values of thousands take long. */
  const readPage = async (key: string, order: Order, cursor: string | undefined, limit: number) => {
    const fields = await storeCall(store.at(key, (redis) => redis.hkeys(key)));
    const { items, next } = pageOf(fields, order, cursor, limit);
    const values = items.length === 0 ? [] : await storeCall(store.at(key, (redis) => redis.hmget(key, ...items)));
    // Null: the field was removed between the two reads.
    const page = items.flatMap((field, index): Field[] => {
      const value = values[index];
      return value == null ? [] : [[field, value]];
    });
    return { page, next, read: fields.length };
  };

  /**
   * The author of a message that has left the log. Undefined if it is deleted, or not a message.
   */
  const archivedAuthor = async (userId: string, room: string, seq: number): Promise<string | undefined> => {
    const piece = { mode: 'around', seq, limit: 1, thread: undefined, pinned: false } as const;
    const { epoch, entries } = await log.readMessages(room, userId, piece);
    const [message] = entries.map((entry) => toEntry(room, epoch, entry));
    return message?.seq === seq && message.deleted === undefined ? message.from.id : undefined;
  };

  /**
   * Admins moderate public rooms. In private rooms they have only the rights of their membership.
   */
  const checkModerator = async (actor: Actor, room: string): Promise<void> => {
    // Also of a room that is closed, or whose moderators banned the administrator.
    const reader = isAdmin(actor) && !isPrivateRoomId(room) ? 'node' : { userId: actor.user.id };
    const { role } = await log.read(room, reader, { mode: 'none' });
    if (reader !== 'node' && !isModerator(role))
      throw new MaruError('forbidden', 'only moderators and owners see this');
  };

  return {
    async bans(actor, { room, cursor, limit }) {
      await checkModerator(actor, room);
      const { page, next, read } = await readPage(roomSanctionsKey(room), BANS, cursor, limit);
      const bans = page.flatMap(([field, value]) => toBan(field, value, storeNow()));
      return { data: { bans, ...next }, read };
    },

    async report(actor, { room, seq, reason }) {
      await log.read(room, { userId: actor.user.id }, { mode: 'none' });
      // No moderator exists who could read it.
      if (isDirectRoomId(room)) throw new MaruError('forbidden', 'a direct room has no moderators');
      const bytes = MEMBER_BYTES + 4 * reason.length;
      await quota.charge(actor.user.id, bytes);
      const add = (author: string) => {
        const max = [LIMITS.reportsPerRoomMax, LIMITS.reportsPerMemberMax];
        const args = [seq, actor.user.id, JSON.stringify(reason), ...max, author];
        return storeCall(runScript(store, reportScript, [roomLogKey(room), roomReportsKey(room)], args));
      };
      let outcome = await add('');
      if (outcome === 'not_found') {
        const author = await archivedAuthor(actor.user.id, room, seq).catch((error: unknown) => {
          quota.giveBack(actor.user.id, bytes, 0);
          throw error;
        });
        if (author !== undefined) outcome = await add(author);
      }
      if (outcome === 'ok') return onReported(room);
      quota.giveBack(actor.user.id, bytes, 0);
      if (outcome === 'not_found') throw new MaruError('not_found', 'there is no such message');
      throw new MaruError('conflict', 'there are too many open reports in this room');
    },

    async reports(actor, { room, cursor, limit }) {
      await checkModerator(actor, room);
      const { page, next, read } = await readPage(roomReportsKey(room), REPORTS, cursor, limit);
      return { data: { reports: page.map(toReport), ...next }, read };
    },

    async closeReport(actor, { room, id }) {
      await checkModerator(actor, room);
      const key = roomReportsKey(room);
      const field = fieldOf(id);
      const value = await storeCall(store.at(key, (redis) => redis.hget(key, field)));
      const closed = await storeCall(store.at(key, (redis) => redis.hdel(key, field)));
      if (value === null || closed === 0) throw new MaruError('not_found', 'there is no such report');
      // The moderator may be the author of the reported message.
      const { seq, from } = toReport([field, value]);
      audit.record({ action: 'room.report-close', by: actor.user.id, user: from, room, seq });
    },
  };
}

const isModerator = (role: Role | undefined): boolean => role === 'owner' || role === 'moderator';

type Field = [field: string, value: string];
type Compare = (a: string, b: string) => number;

/** A list that is read in pages. */
interface Order {
  compare: Compare;
  cursor: RegExp;
}

const byField: Compare = (a, b) => Number(a > b) - Number(a < b);
const bySeq: Compare = (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || byField(a, b);

const BANS: Order = { compare: byField, cursor: /^(ban|kick|mute):./ };
const REPORTS: Order = { compare: bySeq, cursor: /^\d{1,15}:./ };

/** Fields hold a line feed, which ids of the contract do not. */
const idOf = (field: string): string => field.replace('\n', ':');
const fieldOf = (id: string): string => id.replace(':', '\n');

/** The cursor is the id of the last item of the page before. The item may be gone by now. */
function pageOf(
  all: string[],
  order: Order,
  cursor: string | undefined,
  limit: number,
): { items: string[]; next: { cursor?: string } } {
  if (cursor !== undefined && !order.cursor.test(cursor)) throw new MaruError('invalid', 'cursor: is not of this list');
  const isAfter = (field: string) => cursor === undefined || order.compare(field, fieldOf(cursor)) > 0;
  const rest = all.filter(isAfter).sort(order.compare);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && rest.length > limit ? { cursor: idOf(last) } : {} };
}

/** Undefined for kicks, which end by themselves, and for sanctions that have ended. */
function toBan(field: string, value: string, nowMs: number): Ban[] {
  const [kind, user] = split(field);
  const [untilText, rest] = split(value);
  const [by, reason] = split(rest);
  const untilTs = Number(untilText);
  if ((kind !== 'ban' && kind !== 'mute') || (untilTs > 0 && untilTs <= nowMs)) return [];
  return [{ user, kind, by, ...(untilTs > 0 ? { untilTs } : {}), ...(reason === '' ? {} : { reason }) }];
}

function toReport([field, value]: Field): Report {
  const [seq, by] = split(field);
  const { ts, from, reason } = JSON.parse(value) as { ts: number; from: string; reason: string };
  return { id: idOf(field), seq: Number(seq), from, by, reason, ts };
}

function split(text: string): [string, string] {
  const at = text.indexOf('\n');
  return [text.slice(0, at), text.slice(at + 1)];
}
