/**
 * One room that has members on this node: carries out what the sequencer decides. Live members get
 * each entry as the sequencer delivers it. A member that is behind first gets entries from the log
 * and becomes live when it has caught up, so nothing is queued for it here.
 */
import { LIMITS, type Position } from '@maru/protocol';
import { eventPacket, PacketBatch } from '../edge/packets.ts';
import {
  type Announcement,
  entryJson,
  parseAnnouncement,
  type StoredEntry,
  storedEntryJson,
} from '../log/entry-codec.ts';
import type { ReadResult } from '../log/room-log.ts';
import type { Member } from './member.ts';
import { type RecentBudget, RecentEntries, type RecentEntry } from './recent-entries.ts';
import { Sequencer, type SequencerEffect, type SequencerEvent } from './sequencer.ts';
import { WriteCoalescer } from './write-coalescer.ts';

/** Entries of one read while catching up or backfilling. */
const PAGE_ENTRIES = 200;
const BACKFILL_RETRY_MS = 250;
/** Rounds without progress before the connection ends with `lost_hole`. */
const CATCH_UP_STALLS_MAX = 20;
/** Announcements kept during the first read of the room. */
const EARLY_MAX = 256;

export interface RoomOptions {
  readAfter(room: string, seq: number, limit: number): Promise<ReadResult>;
  recentBudget: RecentBudget;
  onSeen(room: string, epoch: string, seq: number): void;
  onDelivered(members: number): void;
  /**
   * An entry with the store's time `ts` was announced. It reached the members, unless a gap is
   * before it.
   */
  onAnnounced(ts: number): void;
  onMalformed(): void;
  onBackfill(): void;
  onBackfillFailed(error: unknown): void;
  now(): number;
}

export class Room {
  readonly id: string;
  readonly live = new Set<Member>();
  /**
   * Delivered entries that are not written to the live members yet. Flush it before sending what
   * must come later.
   */
  readonly #writes: WriteCoalescer;
  /** Members that got more than the sequencer has delivered, with the last `seq` they got. */
  readonly #ahead = new Map<Member, number>();
  readonly #recent: RecentEntries;
  readonly #options: RoomOptions;
  #sequencer: Sequencer<RecentEntry> | undefined;
  /** The oldest kept seq as of the last read. It only grows. */
  #first = 1;
  #early: RecentEntry[] = [];
  #closed = false;

  constructor(id: string, options: RoomOptions) {
    this.id = id;
    this.#options = options;
    this.#recent = new RecentEntries(options.recentBudget);
    this.#writes = new WriteCoalescer((packets) => this.#writeToLive(packets), options.now);
  }

  /** Handles a payload of the room's channel. Drops and counts malformed ones. */
  readonly receive = (payload: string): void => {
    const announcement = parseAnnouncement(payload);
    if (announcement === undefined) {
      this.#options.onMalformed();
      return;
    }
    this.onAnnouncement(announcement);
    if (announcement.kind === 'entry') this.#options.onAnnounced(announcement.ts);
  };

  onAnnouncement(announcement: Announcement): void {
    const { epoch } = announcement;
    if (announcement.kind === 'epoch') {
      const { base } = announcement;
      this.#step({ type: 'observed', epoch, base, head: base });
      return;
    }
    const { seq, ts, body } = announcement;
    const entry = { epoch, seq, packet: eventPacket('message', entryJson(this.id, epoch, seq, ts, body)) };
    if (this.#sequencer === undefined) {
      // Keep the newest. The sequencer sees the gap before them and reads it.
      if (this.#early.push(entry) > EARLY_MAX) this.#early.shift();
      return;
    }
    this.#step({ type: 'announced', entry });
  }

  /** Passes a read of the room's state to the sequencer. The first one starts it. */
  observe(state: { epoch: string; base: number; head: number; first: number }): void {
    this.#first = state.first;
    if (this.#sequencer !== undefined) {
      this.#step({ type: 'observed', ...state });
      return;
    }
    this.#sequencer = new Sequencer(state);
    this.#options.onSeen(this.id, state.epoch, state.head);
    const early = this.#early;
    this.#early = [];
    for (const entry of early) this.#step({ type: 'announced', entry });
  }

  /** The position of a live member: it got all entries up to there. */
  positionOf(member: Member): Position {
    const sequencer = this.#started();
    this.#writes.flush();
    return { epoch: sequencer.epoch, seq: Math.max(sequencer.delivered, this.#ahead.get(member) ?? 0) };
  }

  /**
   * Sends a member the entries after `position`, then makes it live. Resolves early once `wanted`
   * is false.
   */
  async attach(member: Member, position: Position, wanted: () => boolean): Promise<void> {
    const sequencer = this.#started();
    let { epoch, seq } = position;
    // Each round makes progress except in rare races. A resume ends an endless race.
    for (let stalls = 0; wanted(); stalls++) {
      if (stalls > CATCH_UP_STALLS_MAX) return member.end('lost_hole');
      if (epoch !== sequencer.epoch) {
        const entered = await this.#enterEpoch(member, seq, wanted);
        if (entered === undefined) continue;
        ({ epoch, seq } = entered);
        continue;
      }
      if (seq >= sequencer.delivered) {
        this.#writes.flush();
        if (seq > sequencer.delivered) this.#ahead.set(member, seq);
        this.live.add(member);
        return;
      }
      const recent = this.#recent.after(seq);
      if (recent !== undefined) {
        for (const entry of recent) member.send(entry.packet);
        seq = (recent.at(-1) as RecentEntry).seq;
        stalls = 0;
        continue;
      }
      const page = await this.#options.readAfter(this.id, seq, PAGE_ENTRIES);
      if (!wanted()) return;
      if (page.epoch !== epoch) {
        this.observe(page);
        continue;
      }
      if (page.first > seq + 1) return member.end('lost_hole');
      for (const entry of page.entries) member.send(this.#packetOf(page.epoch, entry));
      if (page.entries.length > 0) stalls = 0;
      seq = page.entries.at(-1)?.seq ?? seq;
      await member.drained();
    }
  }

  /**
   * A new epoch began between a member's read and now. Gives its position in the new epoch;
   * undefined: try again.
   */
  async #enterEpoch(member: Member, seq: number, wanted: () => boolean): Promise<Position | undefined> {
    const state = await this.#options.readAfter(this.id, seq, 1);
    if (!wanted()) return undefined;
    this.observe(state);
    if (state.epoch !== this.#started().epoch) return undefined;
    member.send(this.#epochPacket(state.epoch, state.base));
    return { epoch: state.epoch, seq: Math.min(seq, state.base) };
  }

  /**
   * The entries after `position` without a read; undefined if this node does not have them all.
   * Entries that the sequencer has not delivered yet reach the member live.
   */
  since(position: Position): { epoch: string; head: number; first: number; packets: string[] } | undefined {
    const sequencer = this.#sequencer;
    if (sequencer === undefined || sequencer.backfilling) return undefined;
    const { epoch, delivered } = sequencer;
    if (position.epoch !== epoch || position.seq > delivered) return undefined;
    const entries = position.seq === delivered ? [] : this.#recent.after(position.seq);
    if (entries === undefined || entries.length > LIMITS.resumeEntriesMax) return undefined;
    return { epoch, head: delivered, first: this.#first, packets: entries.map(({ packet }) => packet) };
  }

  /**
   * Keeps the entries of a resume's read for other clients that missed the same. Returns them
   * encoded.
   */
  remember(read: ReadResult, nowMs: number): string[] {
    const entries = this.#encode(read);
    const { epoch, delivered } = this.#started();
    // The sequencer adds entries that it has not delivered yet.
    const known = entries.filter(({ seq }) => seq <= delivered);
    if (read.epoch === epoch && known.at(-1)?.seq === delivered) this.#recent.prepend(known, nowMs);
    return entries.map(({ packet }) => packet);
  }

  /** Call this periodically. Frees memory that no resume has needed for a while. */
  relax(nowMs: number): void {
    this.#recent.relax(nowMs);
  }

  detach(member: Member): void {
    // A member that leaves gets the entries before. After DISCONNECT nothing may follow.
    if (!member.closed) this.#writes.flush();
    this.live.delete(member);
    this.#ahead.delete(member);
  }

  close(): void {
    this.#closed = true;
    this.#writes.clear();
    this.live.clear();
    this.#ahead.clear();
    this.#recent.clear();
  }

  #started(): Sequencer<RecentEntry> {
    if (this.#sequencer === undefined) throw new Error('the room was not read yet');
    return this.#sequencer;
  }

  #step(event: SequencerEvent<RecentEntry>): void {
    if (this.#sequencer === undefined || this.#closed) return;
    for (const effect of this.#sequencer.step(event)) this.#carryOut(effect);
  }

  #carryOut(effect: SequencerEffect<RecentEntry>): void {
    switch (effect.type) {
      case 'deliver':
        this.#deliver(effect.entry);
        break;
      case 'backfill':
        this.#options.onBackfill();
        void this.#backfill(effect.after);
        break;
      case 'backfillLater':
        setTimeout(() => void this.#backfill(effect.after), BACKFILL_RETRY_MS);
        break;
      case 'newEpoch':
        this.#recent.clear();
        this.#ahead.clear();
        this.#options.onSeen(this.id, effect.epoch, effect.head);
        this.#writes.flush();
        for (const member of this.live) member.send(this.#epochPacket(effect.epoch, effect.head));
        break;
      case 'lost':
        this.#writes.flush();
        for (const member of [...this.live]) member.end('lost_hole');
        break;
    }
  }

  #deliver(entry: RecentEntry): void {
    this.#recent.push(entry);
    this.#options.onSeen(this.id, entry.epoch, entry.seq);
    if (this.#ahead.size === 0) this.#writes.push(entry.packet);
    else this.#deliverOneByOne(entry);
    this.#options.onDelivered(this.live.size);
  }

  /** While some members are ahead, each gets only entries that it does not have. */
  #deliverOneByOne(entry: RecentEntry): void {
    this.#writes.flush();
    for (const member of this.live) {
      const has = this.#ahead.get(member) ?? 0;
      if (entry.seq > has) member.send(entry.packet);
      if (entry.seq >= has) this.#ahead.delete(member);
    }
  }

  #writeToLive(packets: string[]): void {
    const batch = new PacketBatch(packets);
    for (const member of this.live) member.sendBatch(batch);
  }

  /** Answers each backfill exactly once. Retries after a pause while the store is unavailable. */
  async #backfill(after: number): Promise<void> {
    if (this.#closed) return;
    try {
      const page = await this.#options.readAfter(this.id, after, PAGE_ENTRIES);
      const { epoch, base, head, first } = page;
      this.#first = first;
      this.#step({ type: 'backfilled', epoch, base, head, first, entries: this.#encode(page) });
    } catch (error) {
      this.#options.onBackfillFailed(error);
      setTimeout(() => {
        if (this.#closed || this.#sequencer === undefined) return;
        this.#step({ type: 'backfillFailed' });
        for (const effect of this.#sequencer.retry()) this.#carryOut(effect);
      }, BACKFILL_RETRY_MS);
    }
  }

  #encode({ epoch, entries }: ReadResult): RecentEntry[] {
    return entries.map((entry) => ({ seq: entry.seq, epoch, packet: this.#packetOf(epoch, entry) }));
  }

  #packetOf(epoch: string, entry: StoredEntry): string {
    return eventPacket('message', storedEntryJson(this.id, epoch, entry));
  }

  #epochPacket(epoch: string, head: number): string {
    return eventPacket('room:event', JSON.stringify({ type: 'epoch', room: this.id, epoch, head }));
  }
}
