/**
 * One room that has members on this node: carries out what the sequencer decides. Live members get
 * each entry as the sequencer delivers it. A member that is behind first gets entries from the log
 * and becomes live when it has caught up, so nothing is queued for it here.
 */
import { LIMITS, type LogState, type Position } from '@maru/protocol';
import { type Announcement, epochNumber, parseAnnouncement, type Removal } from '../log/entry-codec.ts';
import { oldestOf, type ReadResult } from '../log/room-log.ts';
import { AheadMembers } from './ahead-members.ts';
import { catchUp, concerns, PAGE_ENTRIES, removalOf } from './catch-up.ts';
import { EarlyEntries } from './early-entries.ts';
import { Erasures } from './erasures.ts';
import type { Member } from './member.ts';
import { RecentEntries, type RecentEntry } from './recent-entries.ts';
import type { RoomOptions } from './room-options.ts';
import { entriesOf, entryOf, epochPacket } from './room-packets.ts';
import { Sequencer, type SequencerEffect, type SequencerEvent } from './sequencer.ts';
import { WriteCoalescer } from './write-coalescer.ts';
import { writeToMembers } from './write-to-members.ts';

const BACKFILL_RETRY_MS = 250;

const NONE: readonly Member[] = [];

export class Room {
  readonly id: string;
  readonly live = new Set<Member>();
  readonly erasures = new Erasures();
  /**
   * Delivered entries that are not written to the live members yet. Flush it before sending what
   * must come later.
   */
  readonly #writes: WriteCoalescer;
  readonly #ahead = new AheadMembers();
  readonly #recent: RecentEntries;
  readonly #options: RoomOptions;
  #sequencer: Sequencer<RecentEntry> | undefined;
  /** The oldest kept seq as of the last read. It only grows. */
  #first = 1;
  readonly #early = new EarlyEntries();
  /** Messages up to the delivered seq; undefined if not known. */
  #n: number | undefined;
  /** See `ReadResult.guarded`, as of the delivered seq or later. */
  #guarded = true;
  #closed = false;

  constructor(id: string, options: RoomOptions) {
    this.id = id;
    this.#options = options;
    this.#recent = new RecentEntries(options.recentBudget);
    this.#writes = new WriteCoalescer((packets) => writeToMembers(packets, this.live, options.gate), options.now);
  }

  /** Handles a payload of the room's channel. Drops and counts malformed ones. */
  readonly receive = (payload: string): void => {
    const announcement = parseAnnouncement(payload);
    if (announcement === undefined) {
      this.#options.onMalformed();
      return;
    }
    if (announcement.kind === 'receipt') this.#options.onReceipt(this.id, announcement.user, announcement.seq);
    else this.onAnnouncement(announcement);
    if (announcement.kind === 'entry') this.#options.onAnnounced(announcement.ts);
  };

  onAnnouncement(announcement: Exclude<Announcement, { kind: 'receipt' }>): void {
    const { epoch } = announcement;
    if (announcement.kind === 'deleted') {
      // A late announcement does not concern a room that was made again.
      const isLate = this.#sequencer !== undefined && epochNumber(epoch) < epochNumber(this.#sequencer.epoch);
      if (!isLate) this.#options.onDeleted(this.id);
      return;
    }
    if (announcement.kind === 'epoch') {
      const { base } = announcement;
      this.#step({ type: 'observed', epoch, base, head: base });
      return;
    }
    const { seq, ts, body } = announcement;
    const entry = entryOf(this.id, epoch, seq, ts, body);
    if (entry.act?.type === 'erasure') this.#erase(entry);
    if (this.#sequencer === undefined) this.#early.push(entry);
    else this.#step({ type: 'announced', entry });
  }

  /** Passes a read of the room's state to the sequencer. The first one starts it. */
  observe(state: Pick<ReadResult, 'epoch' | 'base' | 'head' | 'first' | 'archivedFrom' | 'n' | 'guarded'>): void {
    this.#note(state);
    if (this.#sequencer !== undefined) {
      this.#step({ type: 'observed', ...state });
      return;
    }
    this.#sequencer = new Sequencer(state);
    this.#n = state.n;
    this.#options.onSeen(this.id, state.epoch, state.head);
    for (const entry of this.#early.take()) this.#step({ type: 'announced', entry });
  }

  /** The position of a live member: it got all entries up to there. */
  positionOf(member: Member): Position {
    const sequencer = this.#started();
    this.#writes.flush();
    return { epoch: sequencer.epoch, seq: Math.max(sequencer.delivered, this.#ahead.seqOf(member)) };
  }

  /** Makes a member live after the entries that it has. See `catchUp`. */
  attach(member: Member, position: Position, wanted: () => boolean, permittedSeq = position.seq): Promise<void> {
    this.#started();
    return catchUp(this, member, { position, permittedSeq, wanted });
  }

  get epoch(): string {
    return this.#started().epoch;
  }

  get delivered(): number {
    return this.#started().delivered;
  }

  /** See `RecentEntries.after`. */
  recentAfter(seq: number): RecentEntry[] | undefined {
    return this.#recent.after(seq);
  }

  readAfter(seq: number, limit: number): Promise<ReadResult> {
    return this.#options.readAfter(this.id, seq, limit);
  }

  /** The member has all entries up to `seq`, which is not before the delivered one. */
  goLive(member: Member, seq: number): void {
    this.#writes.flush();
    if (seq > this.delivered) this.#ahead.add(member, seq);
    this.live.add(member);
  }

  /**
   * The entries after `position` without a read; undefined if this node does not have them all.
   * Entries that the sequencer has not delivered yet reach the member live.
   */
  since(position: Position): (LogState & { packets: string[]; guarded: boolean }) | undefined {
    const sequencer = this.#sequencer;
    if (sequencer === undefined || sequencer.backfilling || this.#n === undefined) return undefined;
    const { epoch, delivered } = sequencer;
    if (position.epoch !== epoch || position.seq > delivered) return undefined;
    const entries = position.seq === delivered ? [] : this.#recent.after(position.seq);
    if (entries === undefined || entries.length > LIMITS.resumeEntriesMax) return undefined;
    const packets = entries.map(({ packet }) => packet);
    return { epoch, head: delivered, n: this.#n, first: this.#first, packets, guarded: this.#guarded };
  }

  /** Keeps the entries of a read for other clients that missed the same. Returns their packets. */
  remember(read: ReadResult, nowMs: number): string[] {
    const entries = entriesOf(this.id, read);
    const { epoch, delivered } = this.#started();
    // The sequencer adds entries that it has not delivered yet.
    const known = entries.filter(({ seq }) => seq <= delivered);
    const isWhole = read.epoch === epoch && known.at(-1)?.seq === delivered;
    if (isWhole && !this.erasures.isStale(read)) this.#recent.prepend(known, nowMs);
    return entries.map(({ packet }) => packet);
  }

  /** Announcements were missed, and a message may have been deleted. */
  forgetRecent(): void {
    this.#recent.clear();
  }

  /** Writes an ephemeral event to the live members, after the entries that wait for them. */
  write(packet: string): void {
    this.#writes.push(packet);
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
        this.#ahead.keepUpTo(effect.head);
        this.#n = undefined;
        this.#options.onSeen(this.id, effect.epoch, effect.head);
        this.#writes.flush();
        for (const member of this.live) member.send(epochPacket(this.id, effect.epoch, effect.head));
        break;
      case 'lost':
        this.#writes.flush();
        for (const member of [...this.live]) {
          // The gap may hold an act that removes the member, so it gets nothing after the gap.
          this.live.delete(member);
          this.#ahead.delete(member);
          member.end('lost_hole');
        }
        break;
    }
  }

  /** Drops all that may contain the deleted text. The message may also wait behind a gap. */
  #erase(entry: RecentEntry): void {
    this.erasures.note(entry);
    this.#recent.clear();
    this.#early.dropUpTo(entry.seq);
    this.#step({ type: 'erased', epoch: entry.epoch, seq: entry.seq });
  }

  #deliver(entry: RecentEntry): void {
    const removal = removalOf(entry.act);
    const removed = removal === undefined ? NONE : this.#concernedBy(entry, removal);
    // Its announcement may have been missed.
    if (entry.act?.type === 'erasure') this.#erase(entry);
    this.#recent.push(entry);
    this.#n = entry.n;
    this.#options.onSeen(this.id, entry.epoch, entry.seq);
    if (this.#ahead.isEmpty) this.#writes.push(entry.packet);
    else this.#deliverOneByOne(entry);
    this.#options.onDelivered(this.live.size);
    if (entry.act?.type !== 'act') return;
    this.#guarded = true;
    // Removed members get no later entries. So waiting entries are written before the removal.
    this.#writes.flush();
    for (const member of removed) member.removedFrom(this.id, (removal as Removal).reason);
  }

  /** Live members that the entry removes. A member that is ahead was permitted after it. */
  #concernedBy({ seq }: RecentEntry, removal: Removal): Member[] {
    return [...this.live].filter((member) => concerns(removal, member) && this.#ahead.seqOf(member) < seq);
  }

  #note(state: Pick<ReadResult, 'epoch' | 'head' | 'first' | 'archivedFrom' | 'guarded'>): void {
    const { epoch, head, guarded } = state;
    const sequencer = this.#sequencer;
    // A late read of an earlier epoch says nothing about this one.
    if (sequencer !== undefined && epochNumber(epoch) < epochNumber(sequencer.epoch)) return;
    this.#first = oldestOf(state);
    // An older read does not know the acts that were delivered after it.
    if (head >= (sequencer?.delivered ?? 0)) this.#guarded = guarded;
  }

  /** While some members are ahead, each gets only entries that it does not have. */
  #deliverOneByOne(entry: RecentEntry): void {
    this.#writes.flush();
    for (const member of this.live) if (this.#ahead.lacks(member, entry.seq)) member.send(entry.packet);
  }

  /** Answers each backfill exactly once. Retries after a pause while the store is unavailable. */
  async #backfill(after: number): Promise<void> {
    if (this.#closed) return;
    try {
      const page = await this.#options.readAfter(this.id, after, PAGE_ENTRIES);
      const { epoch, base, head, first } = page;
      this.#note(page);
      this.#step({ type: 'backfilled', epoch, base, head, first, entries: entriesOf(this.id, page) });
    } catch (error) {
      this.#options.onBackfillFailed(error);
      setTimeout(() => {
        if (this.#closed || this.#sequencer === undefined) return;
        this.#step({ type: 'backfillFailed' });
        for (const effect of this.#sequencer.retry()) this.#carryOut(effect);
      }, BACKFILL_RETRY_MS);
    }
  }
}
