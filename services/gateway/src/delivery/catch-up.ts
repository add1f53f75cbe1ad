/**
 * Brings a member up to date: sends the entries that it misses, from the recent entries or the log.
 * Pages follow at the pace of the transport, so nothing is queued here. Then the member becomes
 * live.
 */
import type { Position } from '@maru/protocol';
import { type ActEffect, epochNumber, type Removal } from '../log/entry-codec.ts';
import type { ReadResult } from '../log/room-log.ts';
import type { Erasures } from './erasures.ts';
import type { Member } from './member.ts';
import type { RecentEntry } from './recent-entries.ts';
import { entriesOf, epochPacket } from './room-packets.ts';

/** Maximum entries of one read. */
export const PAGE_ENTRIES = 200;
/** Rounds without progress before the connection ends with `lost_hole`. */
const STALLS_MAX = 20;

/** What catching up needs of a room. */
export interface CatchUpRoom {
  readonly id: string;
  readonly epoch: string;
  /** All entries up to this `seq` were delivered to the live members. */
  readonly delivered: number;
  readonly erasures: Pick<Erasures, 'isStale'>;
  recentAfter(seq: number): RecentEntry[] | undefined;
  readAfter(seq: number, limit: number): Promise<ReadResult>;
  /** Passes a read to the room, so that the room follows the log into a new epoch. */
  observe(read: ReadResult): void;
  goLive(member: Member, seq: number): void;
}

export interface CatchUpStart {
  /** The member has all entries up to this position. */
  position: Position;
  /** The member's right was checked as of this `seq`. A later act may remove it. */
  permittedSeq: number;
  /** Once it is false, catching up ends early. */
  wanted: () => boolean;
}

/** The user whom an entry removes, if any. */
export const removalOf = (act: ActEffect | undefined): Removal | undefined =>
  act?.type === 'act' ? act.removal : undefined;

export const concerns = ({ user }: Removal, member: Member): boolean => user === undefined || user === member.user.id;

export async function catchUp(room: CatchUpRoom, member: Member, start: CatchUpStart): Promise<void> {
  const { wanted } = start;
  let { epoch, seq } = start.position;
  let permitted = start.permittedSeq;
  // Each round makes progress except in rare races. A resume ends an endless race.
  for (let stalls = 0; wanted(); stalls++) {
    if (stalls > STALLS_MAX) return member.end('lost_hole');
    if (epoch !== room.epoch) {
      const entered = await enterEpoch(room, member, { epoch, seq }, wanted);
      if (entered === undefined) continue;
      if (entered === 'lost') return member.end('lost_hole');
      ({ epoch, seq } = entered);
      permitted = Math.min(permitted, seq);
      continue;
    }
    if (seq >= room.delivered) return room.goLive(member, seq);
    let entries = room.recentAfter(seq);
    const isRecent = entries !== undefined;
    if (entries === undefined) {
      const page = await room.readAfter(seq, PAGE_ENTRIES);
      if (!wanted()) return;
      if (page.epoch !== epoch) {
        room.observe(page);
        continue;
      }
      // A message was deleted during the read.
      if (room.erasures.isStale(page)) continue;
      if (page.first > seq + 1) return member.end('lost_hole');
      entries = entriesOf(room.id, page);
    }
    if (!sendUntilRemoved(room, member, entries, permitted)) return;
    if (entries.length > 0) stalls = 0;
    seq = entries.at(-1)?.seq ?? seq;
    // A page may be large, so the transport takes it before the next one is read.
    if (!isRecent) await member.drained();
  }
}

/** False if one of the entries removed the member. It gets that entry, and none after it. */
function sendUntilRemoved(room: CatchUpRoom, member: Member, entries: RecentEntry[], permittedSeq: number): boolean {
  for (const entry of entries) {
    member.send(entry.packet);
    const removal = removalOf(entry.act);
    if (removal === undefined || entry.seq <= permittedSeq || !concerns(removal, member)) continue;
    member.removedFrom(room.id, removal.reason);
    return false;
  }
  return true;
}

/**
 * A new epoch began between a member's read and now. Gives its position in the new epoch;
 * undefined: try again. `lost`: an epoch in between was missed, so what survived it is unknown, and
 * the member has to resume, as in `Sequencer`.
 */
async function enterEpoch(
  room: CatchUpRoom,
  member: Member,
  { epoch, seq }: Position,
  wanted: () => boolean,
): Promise<Position | 'lost' | undefined> {
  const state = await room.readAfter(seq, 1);
  if (!wanted()) return undefined;
  room.observe(state);
  if (state.epoch !== room.epoch) return undefined;
  if (epochNumber(state.epoch) > epochNumber(epoch) + 1) return 'lost';
  member.send(epochPacket(room.id, state.epoch, state.base));
  return { epoch: state.epoch, seq: Math.min(seq, state.base) };
}
