/**
 * Applies events to the users of one room: read, decide (tracker), commit if nothing changed meanwhile, else again. Several
 * instances may do so at once; each commit is all or nothing, and announcing is left to the room's agenda.
 */
import { MaruError } from '@maru/protocol';
import type { PresenceMetrics } from './metrics.ts';
import { BOUNDS } from './settings.ts';
import type { PresenceStore, RecordChange, StoredRecord } from './store/presence-store.ts';
import { dueAtOf, shownOf, step, type Timing, type TrackerEvent } from './tracker.ts';

export interface UserEvent {
  userId: string;
  event: TrackerEvent;
}

export interface Rooms {
  /**
   * Applies the events in order; later ones of the same user see what earlier ones did. `notAfter` (ms of the store's clock, 0 for
   * none) fences work that hung on the way. Answers when the room needs work next (0 for never); the caller schedules it.
   * Rejects with `unavailable`; what was applied till then stays, and applying it again changes nothing.
   */
  apply(room: string, events: UserEvent[], notAfter?: number): Promise<number>;
}

/** Another instance changes the same user at the same moment only during reconnect storms; more than a few in a row is a fault. */
const ATTEMPTS_MAX = 10;

export function createRooms(options: { store: PresenceStore; timing: Timing; metrics: PresenceMetrics }): Rooms {
  const { store, timing, metrics } = options;

  /** Undefined where the event changes nothing that is stored. */
  const changeOf = (userId: string, stored: StoredRecord, events: TrackerEvent[], now: number) => {
    let { record } = stored;
    for (const event of events) record = step(record, event, now, timing);
    const hasTicked = events.some((event) => event.type === 'tick');
    if (!hasTicked && (record === undefined ? '' : JSON.stringify(record)) === stored.raw) return undefined;
    const change: RecordChange = {
      userId,
      expected: stored.raw,
      record,
      shown: shownOf(record, now, timing),
      dueAt: dueAtOf(record, now, timing),
    };
    return change;
  };

  const applyPage = async (room: string, page: Map<string, TrackerEvent[]>, notAfter: number): Promise<number> => {
    const userIds = [...page.keys()];
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const { now, nextAt, records } = await store.readUsers(room, userIds);
      const changes = userIds.flatMap((userId, index) => {
        const stored = records[index] ?? { raw: '', record: undefined };
        return changeOf(userId, stored, page.get(userId) ?? [], now) ?? [];
      });
      if (changes.length === 0) return nextAt;
      const commit = await store.commitUsers(room, changes, notAfter);
      if (commit.result === 'late') throw new MaruError('unavailable', 'the report took too long');
      if (commit.result === 'ok') {
        const forgotten = changes.filter((change) => change.record === undefined);
        await Promise.all(forgotten.map((change) => store.forgetVisit(change.userId, room, now)));
        return commit.nextAt;
      }
      metrics.commitConflicts.inc();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * attempt));
    }
    throw new MaruError('unavailable', 'the room changes too fast');
  };

  return {
    async apply(room, events, notAfter = 0) {
      const byUser = new Map<string, TrackerEvent[]>();
      for (const { userId, event } of events) {
        const known = byUser.get(userId);
        if (known === undefined) byUser.set(userId, [event]);
        else known.push(event);
      }
      const entries = [...byUser];
      let nextAt = 0;
      for (let start = 0; start < entries.length; start += BOUNDS.pageMax) {
        const page = new Map(entries.slice(start, start + BOUNDS.pageMax));
        nextAt = await applyPage(room, page, notAfter);
      }
      return nextAt;
    },
  };
}
