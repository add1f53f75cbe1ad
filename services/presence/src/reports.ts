/**
 * Works off the reports of gateways. The order of the steps is what makes a crash between any two of them harmless: what is
 * to be swept is noted before rooms hear of it, rooms are scheduled before the report is acknowledged, and an
 * unacknowledged report comes again. Applying a report twice changes nothing.
 */
import type { Logger } from '@maru/service-kit';
import { concurrently } from './concurrently.ts';
import type { PresenceMetrics } from './metrics.ts';
import type { Rooms, UserEvent } from './rooms.ts';
import { type Op, op, type Report } from './schemas.ts';
import { BOUNDS } from './settings.ts';
import { type PresenceStore, pairOf } from './store/presence-store.ts';
import type { Stamp } from './tracker.ts';

/** Rooms or users worked on at a time within one report; the store's connection pipelines them. */
const CONCURRENCY = 64;

type Enter = Extract<Op, { op: 'enter' }>;
type Leave = Extract<Op, { op: 'leave' }>;
type SetStatus = Extract<Op, { op: 'status' }>;

export interface Reports {
  /** `resync` asks the node for its full state. Rejects with `unavailable`; the node sends the same report again. */
  handle(node: string, report: Report): Promise<{ resync: boolean }>;
}

export function createReports(options: {
  store: PresenceStore;
  rooms: Rooms;
  metrics: PresenceMetrics;
  logger: Logger;
  /** Called when a node's full state is complete: its older epochs can be cleared. */
  onCommit: (node: string) => void;
}): Reports {
  const { store, rooms, metrics, logger, onCommit } = options;

  /** The last operation on a user in a room, or on a user's status, is the one that counts. */
  const parse = (node: string, raw: unknown[]) => {
    const moves = new Map<string, Enter | Leave>();
    const statuses = new Map<string, SetStatus>();
    for (const item of raw) {
      const parsed = op.safeParse(item);
      metrics.ops.inc({ kind: parsed.success ? parsed.data.op : 'invalid' });
      if (!parsed.success) {
        logger.error({ peer: node, path: parsed.error.issues[0]?.path.join('.') }, 'operation of a report is invalid');
      } else if (parsed.data.op === 'status') {
        statuses.set(parsed.data.userId, parsed.data);
      } else {
        const userId = parsed.data.op === 'enter' ? parsed.data.user.id : parsed.data.userId;
        moves.set(pairOf(parsed.data.room, userId), parsed.data);
      }
    }
    return { moves, statuses };
  };

  const apply = async (node: string, stamp: Stamp, notAfter: number, { moves, statuses }: ReturnType<typeof parse>) => {
    const agenda = new Map<string, number>();
    const applyTo = async (room: string, events: UserEvent[]) => {
      const nextAt = await rooms.apply(room, events, notAfter);
      const known = agenda.get(room);
      if (nextAt > 0 && (known === undefined || nextAt < known)) agenda.set(room, nextAt);
    };

    await concurrently(statuses.values(), CONCURRENCY, async (wanted) => {
      const { status, text, ifAbsent } = wanted;
      const set = await store.setStatus(
        wanted.userId,
        { status, ifAbsent, ...(text === undefined ? {} : { text }) },
        notAfter,
      );
      if (set === undefined) return;
      const events: UserEvent[] = [{ userId: wanted.userId, event: { type: 'status', profile: set.profile } }];
      await concurrently(set.rooms, CONCURRENCY, (room) => applyTo(room, events));
    });

    const enters = [...moves.values()].filter((move) => move.op === 'enter');
    const roomsOf = new Map<string, string[]>();
    for (const { user, room } of enters) roomsOf.set(user.id, [...(roomsOf.get(user.id) ?? []), room]);
    const profiles = new Map<string, Awaited<ReturnType<PresenceStore['touchUser']>>>();
    await concurrently(roomsOf.keys(), CONCURRENCY, async (userId) => {
      profiles.set(userId, await store.touchUser(userId, []));
    });

    const byRoom = new Map<string, UserEvent[]>();
    for (const move of moves.values()) {
      const events = byRoom.get(move.room) ?? [];
      byRoom.set(move.room, events);
      if (move.op === 'leave') {
        events.push({ userId: move.userId, event: { type: 'leave', node, stamp } });
      } else {
        const profile = profiles.get(move.user.id) ?? { status: 'online', version: 0 };
        events.push({ userId: move.user.id, event: { type: 'enter', node, stamp, user: move.user, profile } });
      }
    }
    await concurrently(byRoom, CONCURRENCY, ([room, events]) => applyTo(room, events));

    // A status that was set between the first look and now found no room to be announced in; this look finds it.
    await concurrently(roomsOf, CONCURRENCY, async ([userId, entered]) => {
      const profile = await store.touchUser(userId, entered);
      if (profile.version <= (profiles.get(userId)?.version ?? 0)) return;
      for (const room of entered) await applyTo(room, [{ userId, event: { type: 'status', profile } }]);
    });

    await store.scheduleRooms(agenda);
  };

  return {
    async handle(node, report) {
      const stopTimer = metrics.reportSeconds.startTimer();
      let result: 'ok' | 'resync' | 'stale' | 'failed' = 'failed';
      try {
        const parsed = parse(node, report.ops);
        const entered: string[] = [];
        const left: string[] = [];
        for (const [pair, move] of parsed.moves) (move.op === 'enter' ? entered : left).push(pair);
        const stamp = { epoch: report.nodeEpoch, seq: report.seq };
        const gate = await store.gateReport(node, stamp.epoch, stamp.seq, entered);
        result = gate.result;
        if (gate.result !== 'ok') return { resync: gate.result === 'resync' };
        result = 'failed';
        await apply(node, stamp, gate.now + BOUNDS.reportBudgetMs, parsed);
        if (report.commit) await store.scheduleNode(node, gate.now);
        if (report.commit || left.length > 0)
          await store.settleReport(node, stamp.epoch, stamp.seq, report.commit, left);
        if (report.commit) onCommit(node);
        result = 'ok';
        return { resync: false };
      } finally {
        metrics.reports.inc({ result });
        stopTimer();
      }
    },
  };
}
