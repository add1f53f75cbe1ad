/**
 * Applies the reports of gateways. The order of the steps makes a crash between any two harmless:
 * the pairs to remove later are recorded before rooms change, rooms are scheduled before the report
 * is acknowledged, and the node repeats an unacknowledged report. Applying a report twice changes
 * nothing.
 */
import { operation, type ValidOperation, type ValidReport } from '@maru/presence-api';
import { concurrently, type Logger } from '@maru/service-kit';
import type { PresenceMetrics } from './metrics.ts';
import type { Rooms, UserEvent } from './rooms.ts';
import { BOUNDS } from './settings.ts';
import { pairOf } from './store/node-store.ts';
import type { PresenceStore } from './store/presence-store.ts';
import { DEFAULT_PROFILE, type Profile, type Stamp } from './tracker.ts';

/** Maximum rooms or users in progress for one report. The connection pipelines their commands. */
const CONCURRENCY = 64;

type Enter = Extract<ValidOperation, { op: 'enter' }>;
type Leave = Extract<ValidOperation, { op: 'leave' }>;
type SetStatus = Extract<ValidOperation, { op: 'status' }>;

/** The last operation for each pair of room and user, and for each user's status. */
interface Operations {
  moves: Map<string, Enter | Leave>;
  statuses: Map<string, SetStatus>;
}

export interface Reports {
  /**
   * `resync`: the node has to report its whole state. Rejects with `unavailable`: the node MUST
   * repeat the report.
   */
  handle(node: string, report: ValidReport): Promise<{ resync: boolean }>;
}

interface ReportsOptions {
  store: PresenceStore;
  rooms: Rooms;
  metrics: PresenceMetrics;
  logger: Logger;
  /** A node's full state is complete, so its older epochs can be removed. */
  onCommit: (node: string) => void;
}

export function createReports(options: ReportsOptions): Reports {
  const { store, metrics, onCommit } = options;

  const process = async (node: string, report: ValidReport): Promise<'ok' | 'resync' | 'stale'> => {
    const operations = parse(report.ops, node, options);
    const pairsWith = (op: 'enter' | 'leave') =>
      [...operations.moves].filter(([, move]) => move.op === op).map(([pair]) => pair);
    const left = pairsWith('leave');
    const { nodeEpoch: epoch, seq, commit } = report;
    const { result, now } = await store.acceptReport(node, epoch, seq, pairsWith('enter'));
    if (result !== 'ok') return result;
    await applyReport(options, { node, stamp: { epoch, seq }, notAfter: now + BOUNDS.reportBudgetMs, operations });
    if (commit) await store.scheduleNode(node, now);
    if (commit || left.length > 0) await store.settleReport(node, epoch, seq, commit, left);
    if (commit) onCommit(node);
    return 'ok';
  };

  return {
    async handle(node, report) {
      const stopTimer = metrics.reportSeconds.startTimer();
      let result: 'ok' | 'resync' | 'stale' | 'failed' = 'failed';
      try {
        result = await process(node, report);
        return { resync: result === 'resync' };
      } finally {
        metrics.reports.inc({ result });
        stopTimer();
      }
    },
  };
}

function parse(ops: unknown[], node: string, { metrics, logger }: ReportsOptions): Operations {
  const moves: Operations['moves'] = new Map();
  const statuses: Operations['statuses'] = new Map();
  for (const item of ops) {
    const parsed = operation.safeParse(item);
    metrics.ops.inc({ kind: parsed.success ? parsed.data.op : 'invalid' });
    if (!parsed.success) {
      const path = parsed.error.issues[0]?.path.join('.');
      logger.error({ peer: node, path }, 'a report contains an invalid operation');
    } else if (parsed.data.op === 'status') {
      statuses.set(parsed.data.userId, parsed.data);
    } else {
      const userId = parsed.data.op === 'enter' ? parsed.data.user.id : parsed.data.userId;
      moves.set(pairOf(parsed.data.room, userId), parsed.data);
    }
  }
  return { moves, statuses };
}

async function applyReport(
  { store, rooms }: ReportsOptions,
  report: { node: string; stamp: Stamp; notAfter: number; operations: Operations },
): Promise<void> {
  const { notAfter, operations } = report;
  const dueAt = new Map<string, number>();
  const applyTo = async (room: string, events: UserEvent[]) => {
    const nextAt = await rooms.apply(room, events, notAfter);
    const earliest = dueAt.get(room);
    if (nextAt > 0 && (earliest === undefined || nextAt < earliest)) dueAt.set(room, nextAt);
  };

  await concurrently(operations.statuses.values(), CONCURRENCY, async ({ userId, status, text, ifAbsent }) => {
    const wanted = { status, ifAbsent, ...(text === undefined ? {} : { text }) };
    const set = await store.setStatus(userId, wanted, notAfter);
    if (set === undefined) return;
    const events: UserEvent[] = [{ userId, event: { type: 'status', profile: set.profile } }];
    await concurrently(set.rooms, CONCURRENCY, (room) => applyTo(room, events));
  });

  const enteredRooms = new Map<string, string[]>();
  for (const move of operations.moves.values())
    if (move.op === 'enter') enteredRooms.set(move.user.id, [...(enteredRooms.get(move.user.id) ?? []), move.room]);
  const profiles = new Map<string, Profile>();
  await concurrently(enteredRooms.keys(), CONCURRENCY, async (userId) => {
    profiles.set(userId, await store.touchUser(userId, []));
  });

  await concurrently(eventsByRoom(report, profiles), CONCURRENCY, ([room, events]) => applyTo(room, events));

  // A status that changed since the first read was not announced in the entered rooms. Announce it
  // now.
  await concurrently(enteredRooms, CONCURRENCY, async ([userId, entered]) => {
    const profile = await store.touchUser(userId, entered);
    if (profile.version <= (profiles.get(userId)?.version ?? 0)) return;
    for (const room of entered) await applyTo(room, [{ userId, event: { type: 'status', profile } }]);
  });

  await store.scheduleRooms(dueAt);
}

function eventsByRoom(
  { node, stamp, operations }: { node: string; stamp: Stamp; operations: Operations },
  profiles: Map<string, Profile>,
): Map<string, UserEvent[]> {
  const byRoom = new Map<string, UserEvent[]>();
  for (const move of operations.moves.values()) {
    const events = byRoom.get(move.room) ?? [];
    byRoom.set(move.room, events);
    if (move.op === 'leave') {
      events.push({ userId: move.userId, event: { type: 'leave', node, stamp } });
    } else {
      const profile = profiles.get(move.user.id) ?? DEFAULT_PROFILE;
      events.push({ userId: move.user.id, event: { type: 'enter', node, stamp, user: move.user, profile } });
    }
  }
  return byRoom;
}
