/**
 * Presence in Redis: each method is one script or a few plain reads, atomic within one room, node or user, never across them. The
 * callers order the calls so that a crash between two of them leaves too much to clean, never too little.
 * All times are the store's clock. Every method rejects with `unavailable` when the store fails or passes its deadline.
 */
import { LIMITS, type PresenceSnapshot, type PresenceUser, type Status } from '@maru/protocol';
import { loadScript } from '@maru/redis-store';
import { agendaKey, nodeIndexKey, nodeKeys, pairsKey, roomChannel, roomKeys, userKeys } from '../keys.ts';
import { BOUNDS } from '../settings.ts';
import { DEFAULT_PROFILE, type Profile, type UserRecord } from '../tracker.ts';
import type { ScriptRunner, StoreArgument } from './script-runner.ts';

const script = (name: string) => loadScript(new URL(`./${name}.lua`, import.meta.url));

export const SCRIPTS = {
  beatNode: script('beat-node'),
  claimDue: script('claim-due'),
  commitUsers: script('commit-users'),
  departNode: script('depart-node'),
  dropEpoch: script('drop-epoch'),
  dueUsers: script('due-users'),
  expireNode: script('expire-node'),
  flushRoom: script('flush-room'),
  forgetVisit: script('forget-visit'),
  gateReport: script('gate-report'),
  readRoom: script('read-room'),
  readUsers: script('read-users'),
  releaseClaim: script('release-claim'),
  setStatus: script('set-status'),
  settleReport: script('settle-report'),
  syncNode: script('sync-node'),
  touchUser: script('touch-user'),
};

/** A record as the store holds it: the text is what a commit compares. */
export interface StoredRecord {
  raw: string;
  record: UserRecord | undefined;
}

export interface RecordChange {
  userId: string;
  /** As read; '' where there was none. */
  expected: string;
  record: UserRecord | undefined;
  shown: PresenceUser | undefined;
  dueAt: number | undefined;
}

export type CommitResult = { result: 'ok'; now: number; nextAt: number } | { result: 'conflict' | 'late' };

export interface NodeLook {
  state: 'alive' | 'expired' | 'gone';
  leaseUntil: number;
  epochs: number[];
}

export type Schedule = 'agenda' | 'nodes';

const scheduleKey = (schedule: Schedule): string => (schedule === 'agenda' ? agendaKey : nodeIndexKey);

/** A pair of the reverse set. Room ids hold no blank, so the first one parts it. */
export const pairOf = (room: string, userId: string): string => `${room} ${userId}`;

export function partsOf(pair: string): { room: string; userId: string } {
  const at = pair.indexOf(' ');
  return { room: pair.slice(0, at), userId: pair.slice(at + 1) };
}

const parseRecord = (raw: string): UserRecord | undefined => (raw === '' ? undefined : (JSON.parse(raw) as UserRecord));

function profileOf([status, text, version]: string[]): Profile {
  if (status === undefined || version === undefined) return DEFAULT_PROFILE;
  const profile: Profile = { status: status as Status, version: Number(version) };
  if (text !== undefined && text !== '') profile.text = text;
  return profile;
}

export type PresenceStore = ReturnType<typeof createPresenceStore>;

export function createPresenceStore(runner: ScriptRunner, options: { leaseMs: number; diffMs: number }) {
  const { leaseMs, diffMs } = options;
  const run = async <T>(
    name: keyof typeof SCRIPTS,
    keys: Record<string, string>,
    args: StoreArgument[] = [],
  ): Promise<T> => (await runner.run(SCRIPTS[name], keys, args)) as T;

  return {
    health: runner.health,

    // Nodes

    async syncNode(node: string, process: string, startedAt: number) {
      const answer = await run<[string, number, number, number]>('syncNode', nodeKeys(node), [
        process,
        startedAt,
        leaseMs,
      ]);
      if (answer[0] !== 'ok') return undefined;
      return { startedAt: answer[1], epoch: answer[2], leaseUntil: answer[3] };
    },

    async gateReport(node: string, epoch: number, seq: number, pairs: string[]) {
      const keys = { node: nodeKeys(node).node, pairs: pairsKey(node, epoch) };
      const [result, now] = await run<['ok' | 'resync' | 'stale', number?]>('gateReport', keys, [
        epoch,
        seq,
        leaseMs,
        ...pairs,
      ]);
      return { result, now: now ?? 0 };
    },

    async settleReport(node: string, epoch: number, seq: number, commit: boolean, leftPairs: string[]): Promise<void> {
      const keys = { node: nodeKeys(node).node, pairs: pairsKey(node, epoch) };
      await run('settleReport', keys, [epoch, seq, commit ? 1 : 0, ...leftPairs]);
    },

    /** The end of the extended lease; undefined where the node has to tell its whole state. */
    async beatNode(node: string, epoch: number, seq: number): Promise<number | undefined> {
      const answer = await run<[string, number]>('beatNode', { node: nodeKeys(node).node }, [epoch, seq, leaseMs]);
      return answer[0] === 'ok' ? answer[1] : undefined;
    },

    async departNode(node: string, epoch: number): Promise<boolean> {
      return (await run<number>('departNode', { node: nodeKeys(node).node }, [epoch])) === 1;
    },

    async expireNode(node: string): Promise<NodeLook> {
      const [state, leaseUntil, ...epochs] = await run<[NodeLook['state'], number, ...string[]]>(
        'expireNode',
        nodeKeys(node),
      );
      return { state, leaseUntil, epochs: epochs.map(Number).sort((a, b) => a - b) };
    },

    pairs: (node: string, epoch: number, limit: number): Promise<string[]> =>
      runner.call('pairs', pairsKey(node, epoch), (redis) =>
        redis.zrange(pairsKey(node, epoch), '0', String(limit - 1)),
      ),

    async dropPairs(node: string, epoch: number, pairs: string[]): Promise<void> {
      await runner.call('drop-pairs', pairsKey(node, epoch), (redis) => redis.zrem(pairsKey(node, epoch), ...pairs));
    },

    async dropEpoch(node: string, epoch: number): Promise<void> {
      await run('dropEpoch', { ...nodeKeys(node), pairs: pairsKey(node, epoch) }, [epoch]);
    },

    // Schedules

    /** Never makes anything later than it is scheduled. */
    async scheduleRooms(rooms: Map<string, number>): Promise<void> {
      if (rooms.size === 0) return;
      const args = [...rooms].flatMap(([room, at]) => [at, room]);
      await runner.call('schedule', agendaKey, (redis) => redis.zadd(agendaKey, 'LT', ...args));
    },

    async scheduleNode(node: string, at: number): Promise<void> {
      await runner.call('schedule', nodeIndexKey, (redis) => redis.zadd(nodeIndexKey, at, node));
    },

    async claimDue(schedule: Schedule, limit: number) {
      const keys = { schedule: scheduleKey(schedule) };
      const [claim, ...members] = await run<[number, ...string[]]>('claimDue', keys, [limit, BOUNDS.claimMs]);
      return { claim, members };
    },

    async releaseClaim(schedule: Schedule, member: string, claim: number, nextAt: number): Promise<void> {
      await run('releaseClaim', { schedule: scheduleKey(schedule) }, [member, claim, nextAt]);
    },

    // Rooms

    async readUsers(room: string, userIds: string[]) {
      const { live, due, meta } = roomKeys(room);
      const [now, nextAt, ...raws] = await run<[number, number, ...string[]]>(
        'readUsers',
        { live, due, meta },
        userIds,
      );
      const records = raws.map((raw): StoredRecord => ({ raw, record: parseRecord(raw) }));
      return { now, nextAt, records };
    },

    dueUsers: (room: string, limit: number): Promise<string[]> =>
      run<string[]>('dueUsers', { due: roomKeys(room).due }, [limit]),

    async commitUsers(room: string, changes: RecordChange[], notAfter: number): Promise<CommitResult> {
      const args = changes.flatMap((change) => [
        change.userId,
        change.expected,
        change.record === undefined ? '' : JSON.stringify(change.record),
        change.shown === undefined ? '' : JSON.stringify(change.shown),
        change.dueAt ?? 0,
      ]);
      const [result, now, nextAt] = await run<['ok' | 'conflict' | 'late', number, number]>(
        'commitUsers',
        roomKeys(room),
        [notAfter, diffMs, ...args],
      );
      return result === 'ok' ? { result, now, nextAt } : { result };
    },

    async flushRoom(room: string): Promise<{ published: boolean; nextAt: number }> {
      const args = [room, roomChannel(room), LIMITS.largeRoomUsers, BOUNDS.changesPerDiffMax, diffMs];
      const [published, nextAt] = await run<[number, number]>('flushRoom', roomKeys(room), args);
      return { published: published === 1, nextAt };
    },

    async readRoom(room: string): Promise<PresenceSnapshot & { version: number }> {
      const { shown, meta } = roomKeys(room);
      const [version, count, ...users] = await run<[number, number, ...string[]]>('readRoom', { shown, meta }, [
        LIMITS.largeRoomUsers,
      ]);
      if (count > LIMITS.largeRoomUsers) return { version, count };
      return { version, count, users: users.map((user) => JSON.parse(user) as PresenceUser) };
    },

    /** How many are shown in a room and the version of its last difference, not read in one step. */
    async countRoom(room: string): Promise<{ count: number; version: number }> {
      const { shown, meta } = roomKeys(room);
      const [count, version] = await Promise.all([
        runner.call('count', shown, (redis) => redis.hlen(shown)),
        runner.call('version', meta, (redis) => redis.hget(meta, 'version')),
      ]);
      return { count, version: Number(version ?? 0) };
    },

    // Users

    async touchUser(userId: string, rooms: string[]): Promise<Profile> {
      return profileOf(await run<string[]>('touchUser', userKeys(userId), [BOUNDS.userKeepMs, ...rooms]));
    },

    /** The status that is set now and the rooms that have to hear of it; undefined if it was too late. */
    async setStatus(userId: string, wanted: { status: Status; text?: string; ifAbsent: boolean }, notAfter: number) {
      const [status, text, version, ...rooms] = await run<string[]>('setStatus', userKeys(userId), [
        wanted.status,
        wanted.text ?? '',
        wanted.ifAbsent ? 1 : 0,
        BOUNDS.userKeepMs,
        BOUNDS.roomlessStatusKeepMs,
        notAfter,
      ]);
      if (status === undefined || text === undefined || version === undefined) return undefined;
      return { profile: profileOf([status, text, version]), rooms };
    },

    async forgetVisit(userId: string, room: string, seenMs: number): Promise<void> {
      await run('forgetVisit', userKeys(userId), [room, seenMs]);
    },
  };
}
