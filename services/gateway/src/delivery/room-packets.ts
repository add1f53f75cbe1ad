/** The packets of a room: each is encoded once for all members. */
import { eventPacket } from '../edge/packets.ts';
import { actOf, bodyOf, entryJson, nOf } from '../log/entry-codec.ts';
import type { ReadResult } from '../log/room-log.ts';
import type { RecentEntry } from './recent-entries.ts';

/** `body` is the end of the client's JSON. */
export function entryOf(room: string, epoch: string, seq: number, ts: number, body: string): RecentEntry {
  const packet = eventPacket('message', entryJson(room, epoch, seq, ts, body));
  return { epoch, seq, packet, n: nOf(body), act: actOf(body) };
}

export const entriesOf = (room: string, { epoch, entries }: Pick<ReadResult, 'epoch' | 'entries'>): RecentEntry[] =>
  entries.map((entry) => entryOf(room, epoch, entry.seq, entry.ts, bodyOf(entry)));

export const epochPacket = (room: string, epoch: string, head: number): string =>
  eventPacket('room:event', JSON.stringify({ type: 'epoch', room, epoch, head }));
