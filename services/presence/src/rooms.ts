/**
 * Applies events to the users of one room: reads the records, decides (`tracker.ts`), and commits
 * if no record changed in between. Otherwise it retries. Several instances may do this at once. The
 * room worker publishes the changes.
 */
import { MaruError } from '@maru/protocol';
import type { PresenceMetrics } from './metrics.ts';
import { BOUNDS } from './settings.ts';
import type { PresenceStore } from './store/presence-store.ts';
import type { RecordChange, StoredRecord } from './store/room-store.ts';
import { dueAtOf, leftAtOf, shownOf, step, type Timing, type TrackerEvent } from './tracker.ts';

export interface UserEvent {
  userId: string;
  event: TrackerEvent;
}

export interface Rooms {
  /**
   * Applies the events in order. After `notAfter` (ms of the clock of Redis, 0 for no limit)
   * nothing is applied. Returns the time of the room's next work (0 for never), which the caller
   * MUST schedule. Rejects with `unavailable`. Then some events may be applied. Repeating all is
   * safe.
   */
  apply(room: string, events: UserEvent[], notAfter?: number): Promise<number>;
}

/** Conflicts happen when many users reconnect. This many in a row indicate a fault. */
const ATTEMPTS_MAX = 10;

export function createRooms(options: { store: PresenceStore; timing: Timing; metrics: PresenceMetrics }): Rooms {
  const { store, timing, metrics } = options;

  /** Undefined if the events do not change the stored record. */
  const changeOf = (userId: string, stored: StoredRecord, events: TrackerEvent[], now: number) => {
    let { record } = stored;
    for (const event of events) record = step(record, event, now, timing);
    const hasTicked = events.some((event) => event.type === 'tick');
    if (!hasTicked && (record === undefined ? '' : JSON.stringify(record)) === stored.raw) return undefined;
    const change: RecordChange & { leftAt: number | undefined } = {
      userId,
      expected: stored.raw,
      record,
      shown: shownOf(record, now, timing),
      dueAt: dueAtOf(record, now, timing),
      leftAt: stored.record && leftAtOf(stored.record),
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
        await Promise.all(
          forgotten.map(({ userId, leftAt = now }) => store.forgetVisit(userId, room, { leftMs: leftAt, readMs: now })),
        );
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
