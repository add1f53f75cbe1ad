/**
 * One room that this node has members of: carries out what the feed decides. Members in `live` get each new entry as the feed
 * gives it out; one that is behind is brought up from the log first and enters at the moment it has caught up, so
 * nothing is ever queued for it here.
 */
import { LIMITS, type Position } from '@maru/protocol';
import { eventPacket, PacketBatch } from '../edge/packets.ts';
import { composeJson, storedBody } from '../log/entry-codec.ts';
import type { ReadResult, StoredEntry } from '../log/room-log.ts';
import type { Announcement } from './announcement.ts';
import type { Member } from './member.ts';
import { type RecentBudget, RecentEntries, type RecentEntry } from './recent-entries.ts';
import { Sequencer, type SequencerEffect, type SequencerEvent } from './sequencer.ts';
import { WriteCoalescer } from './write-coalescer.ts';

/** Entries that one catch-up step or fill reads. */
const PAGE_ENTRIES = 200;
const FILL_RETRY_MS = 250;
const ATTACH_STALLS_MAX = 20;
/** Announcements kept while the first look at the log is under way. */
const EARLY_MAX = 256;

export interface DeliveryRoomDeps {
  readAfter(room: string, seq: number, limit: number): Promise<ReadResult>;
  recentBudget: RecentBudget;
  onSeen(room: string, epoch: string, seq: number): void;
  onDelivered(members: number): void;
  onFill(): void;
  onFillFailed(error: unknown): void;
  now(): number;
}

export class DeliveryRoom {
  readonly room: string;
  readonly live = new Set<Member>();
  /** What the feed gave out and the members in `live` have not been written yet. Flushed before anything that must see it written. */
  readonly #writes: WriteCoalescer;
  /** Members that were given more than the feed has reached: what they have already is not given again. */
  readonly #floors = new Map<Member, number>();
  readonly #recent: RecentEntries;
  readonly #deps: DeliveryRoomDeps;
  #feed: Sequencer<RecentEntry> | undefined;
  /** The oldest kept seq, as of the last look; it only grows. */
  #first = 1;
  #early: RecentEntry[] = [];
  #closed = false;

  constructor(room: string, deps: DeliveryRoomDeps) {
    this.room = room;
    this.#deps = deps;
    this.#recent = new RecentEntries(deps.recentBudget);
    this.#writes = new WriteCoalescer((packets) => this.#writeToAll(packets), deps.now);
  }

  onAnnouncement(packet: Announcement): void {
    if (packet.kind === 'epoch') {
      this.#step({ type: 'observed', epoch: packet.epoch, base: packet.base, head: packet.base });
      return;
    }
    const { epoch, seq } = packet;
    const entry = { epoch, seq, packet: this.#packet(composeJson(this.room, epoch, seq, packet.ts, packet.body)) };
    if (this.#feed === undefined) {
      // The newest are kept: a hole before them is seen, and read, once the first look has come.
      if (this.#early.push(entry) > EARLY_MAX) this.#early.shift();
      return;
    }
    this.#step({ type: 'announced', entry });
  }

  /** Tells the feed what a look at the log has shown; the first look starts it. */
  observe(look: { epoch: string; base: number; head: number; first: number }): void {
    this.#first = look.first;
    if (this.#feed !== undefined) {
      this.#step({ type: 'observed', ...look });
      return;
    }
    this.#feed = new Sequencer(look);
    this.#deps.onSeen(this.room, look.epoch, look.head);
    const early = this.#early;
    this.#early = [];
    for (const entry of early) this.#step({ type: 'announced', entry });
  }

  /** Where a member stands that has joined: all up to there was given to it. */
  positionOf(member: Member): Position {
    const feed = this.#started();
    this.#writes.flush();
    return { epoch: feed.epoch, seq: Math.max(feed.delivered, this.#floors.get(member) ?? 0) };
  }

  /** Brings a member from `position` up to the feed, then makes it live. Resolves early when it is no longer wanted. */
  async attach(member: Member, position: Position, wanted: () => boolean): Promise<void> {
    const feed = this.#started();
    let { epoch, seq } = position;
    for (let stalled = 0; wanted(); stalled++) {
      // Each round brings it forward but for a rare race; one that goes on for ever is ended by a resume.
      if (stalled > ATTACH_STALLS_MAX) return member.cut('lost_hole');
      if (epoch !== feed.epoch) {
        // The log began a new life between the read and now; what survived of it is `delivered` at most.
        const look = await this.#deps.readAfter(this.room, seq, 1);
        if (!wanted()) return;
        this.observe(look);
        if (look.epoch !== feed.epoch) continue;
        epoch = look.epoch;
        seq = Math.min(seq, look.base);
        member.send(this.#epochPacket(epoch, look.base));
        continue;
      }
      if (seq >= feed.delivered) {
        this.#writes.flush();
        if (seq > feed.delivered) this.#floors.set(member, seq);
        this.live.add(member);
        return;
      }
      const recent = this.#recent.after(seq);
      if (recent !== undefined) {
        for (const entry of recent) member.send(entry.packet);
        seq = (recent.at(-1) as RecentEntry).seq;
        stalled = 0;
        continue;
      }
      const page = await this.#deps.readAfter(this.room, seq, PAGE_ENTRIES);
      if (!wanted()) return;
      if (page.epoch !== epoch) {
        this.observe(page);
        continue;
      }
      if (page.first > seq + 1) return member.cut('lost_hole');
      for (const entry of page.entries) member.send(this.#storedPacket(page.epoch, entry));
      if (page.entries.length > 0) stalled = 0;
      seq = page.entries.at(-1)?.seq ?? seq;
      await member.drained();
    }
  }

  /**
   * What came after `position`, without asking the store: undefined where this node cannot tell. The feed follows the log, so what
   * it has not reached yet comes to the member live.
   */
  since(position: Position): { epoch: string; head: number; first: number; packets: string[] } | undefined {
    const feed = this.#feed;
    if (feed === undefined || feed.filling || position.epoch !== feed.epoch || position.seq > feed.delivered)
      return undefined;
    const entries = position.seq === feed.delivered ? [] : this.#recent.after(position.seq);
    if (entries === undefined || entries.length > LIMITS.resumeEntriesMax) return undefined;
    return {
      epoch: feed.epoch,
      head: feed.delivered,
      first: this.#first,
      packets: entries.map(({ packet }) => packet),
    };
  }

  /** Keeps what one who resumed had to read, for the others who missed the same. Returns it encoded. */
  remember(read: ReadResult, nowMs: number): string[] {
    const entries = this.#encode(read);
    const { epoch, delivered } = this.#started();
    // What the feed has not given out yet, it will add itself.
    const known = entries.filter(({ seq }) => seq <= delivered);
    if (read.epoch === epoch && known.at(-1)?.seq === delivered) this.#recent.prepend(known, nowMs);
    return entries.map(({ packet }) => packet);
  }

  /** From time to time: gives back memory that no resume has needed for a while. */
  relax(nowMs: number): void {
    this.#recent.relax(nowMs);
  }

  detach(member: Member): void {
    // One who leaves was given what came before; one whose end was said already (DISCONNECT) gets nothing after it.
    if (!member.closed) this.#writes.flush();
    this.live.delete(member);
    this.#floors.delete(member);
  }

  close(): void {
    this.#closed = true;
    this.#writes.clear();
    this.live.clear();
    this.#floors.clear();
    this.#recent.clear();
  }

  #started(): Sequencer<RecentEntry> {
    if (this.#feed === undefined) throw new Error('the room has not been looked at yet');
    return this.#feed;
  }

  #step(event: SequencerEvent<RecentEntry>): void {
    if (this.#feed === undefined || this.#closed) return;
    for (const effect of this.#feed.step(event)) this.#carryOut(effect);
  }

  #carryOut(effect: SequencerEffect<RecentEntry>): void {
    switch (effect.type) {
      case 'deliver':
        this.#deliver(effect.entry);
        break;
      case 'fill':
        this.#deps.onFill();
        void this.#fill(effect.after);
        break;
      case 'fillLater':
        setTimeout(() => void this.#fill(effect.after), FILL_RETRY_MS);
        break;
      case 'newEpoch':
        this.#recent.clear();
        this.#floors.clear();
        this.#deps.onSeen(this.room, effect.epoch, effect.head);
        this.#writes.flush();
        for (const member of this.live) member.send(this.#epochPacket(effect.epoch, effect.head));
        break;
      case 'lost':
        this.#writes.flush();
        for (const member of [...this.live]) member.cut('lost_hole');
        break;
    }
  }

  #deliver(entry: RecentEntry): void {
    this.#recent.push(entry);
    this.#deps.onSeen(this.room, entry.epoch, entry.seq);
    if (this.#floors.size === 0) {
      this.#writes.push(entry.packet);
    } else {
      this.#writes.flush();
      for (const member of this.live) {
        const floor = this.#floors.get(member) ?? 0;
        if (entry.seq > floor) member.send(entry.packet);
        if (entry.seq >= floor) this.#floors.delete(member);
      }
    }
    this.#deps.onDelivered(this.live.size);
  }

  #writeToAll(packets: string[]): void {
    const shared = new PacketBatch(packets);
    for (const member of this.live) member.sendBatch(shared);
  }

  /** Answers each fill of the feed exactly once, and asks again after a pause while the store is ill. */
  async #fill(after: number): Promise<void> {
    if (this.#closed) return;
    try {
      const page = await this.#deps.readAfter(this.room, after, PAGE_ENTRIES);
      const entries = this.#encode(page);
      this.#first = page.first;
      this.#step({ type: 'filled', epoch: page.epoch, base: page.base, head: page.head, first: page.first, entries });
    } catch (error) {
      this.#deps.onFillFailed(error);
      setTimeout(() => {
        if (this.#closed || this.#feed === undefined) return;
        this.#step({ type: 'fillFailed' });
        for (const effect of this.#feed.retry()) this.#carryOut(effect);
      }, FILL_RETRY_MS);
    }
  }

  #encode({ epoch, entries }: ReadResult): RecentEntry[] {
    return entries.map((entry) => ({ seq: entry.seq, epoch, packet: this.#storedPacket(epoch, entry) }));
  }

  #packet(json: string): string {
    return eventPacket('message', json);
  }

  #storedPacket(epoch: string, entry: StoredEntry): string {
    return this.#packet(composeJson(this.room, epoch, entry.seq, entry.ts, storedBody(entry)));
  }

  #epochPacket(epoch: string, head: number): string {
    return eventPacket('room:event', JSON.stringify({ type: 'epoch', room: this.room, epoch, head }));
  }
}
