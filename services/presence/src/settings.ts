/** What may be set, with the reason for each default. */
import { asRedisAddress } from '@maru/redis-store';
import { asInteger, asNodeName, asOneOf, asSecret, asText, type ConfigOf, LOG_LEVELS } from '@maru/service-kit';

export const settingFields = {
  node: { env: 'MARU_NODE', doc: 'name of this process, for logs', parse: asNodeName },
  host: { env: 'MARU_HOST', doc: 'address to listen on', parse: asText, fallback: '127.0.0.1' },
  listenPort: { env: 'MARU_LISTEN_PORT', doc: 'port for gateways', parse: asInteger(0, 65_535) },
  opsPort: { env: 'MARU_OPS_PORT', doc: 'port for health and metrics', parse: asInteger(0, 65_535) },
  redisUrl: { env: 'MARU_REDIS_URL', doc: 'the store, as the gateways know it', parse: asRedisAddress, secret: true },
  internalSecret: {
    env: 'MARU_INTERNAL_SECRET',
    doc: 'shared by gateways and presence',
    parse: asSecret,
    secret: true,
  },
  logLevel: { env: 'MARU_LOG_LEVEL', doc: 'how much to log', parse: asOneOf(...LOG_LEVELS), fallback: 'info' },
  storeDeadlineMs: {
    env: 'MARU_STORE_DEADLINE_MS',
    doc: 'a store call that takes longer has failed',
    parse: asInteger(50, 10_000),
    fallback: 800,
  },
  leaveGraceMs: {
    env: 'MARU_PRESENCE_LEAVE_GRACE_MS',
    doc: 'a user back within it never left; covers a reconnect to another node',
    parse: asInteger(0, 120_000),
    fallback: 6_000,
  },
  diffMs: {
    env: 'MARU_PRESENCE_DIFF_MS',
    doc: 'from the first change in a room to the difference that tells it',
    parse: asInteger(10, 5_000),
    fallback: 400,
  },
  leaseMs: {
    env: 'MARU_PRESENCE_LEASE_MS',
    doc: 'a node that is silent for so long is dead; three beats of a gateway',
    parse: asInteger(500, 300_000),
    fallback: 15_000,
  },
  sweepMs: {
    env: 'MARU_PRESENCE_SWEEP_MS',
    doc: 'between two looks for dead nodes',
    parse: asInteger(50, 60_000),
    fallback: 1_000,
  },
  sweepHoldMs: {
    env: 'MARU_PRESENCE_SWEEP_HOLD_MS',
    doc: 'after a start or store trouble nobody is declared dead for so long: gateways could not beat meanwhile',
    parse: asInteger(0, 300_000),
    fallback: 8_000,
  },
} as const;

export type PresenceSettings = ConfigOf<typeof settingFields>;

/** Bounds that nobody needs to set. */
export const BOUNDS = {
  /** Operations in one report; the gateway pages its own accordingly. */
  reportOpsMax: 400,
  /** Body of a request, in bytes. A full report of the longest names takes about 400 KB. */
  requestBytesMax: 512 * 1024,
  /** Rooms in one request for counts. */
  countsRoomsMax: 200,
  /** A report that was not worked off by then is given up; its node sends it again. By the store's clock. */
  reportBudgetMs: 2_000,
  /** Users or pairs that one script call handles. */
  pageMax: 200,
  /** Changes in one difference. */
  changesPerDiffMax: 1_000,
  /** Between two looks at the agenda: how late a difference may be at most. */
  agendaTickMs: 100,
  /** Rooms that one look takes, and how many of them are worked on at a time. */
  agendaClaimMax: 200,
  agendaConcurrency: 16,
  /** Claimed work comes again after so long, should the instance that claimed it have died. */
  claimMs: 3_000,
  /** What a crash left behind of a user's rooms and status. Gateways tell their whole state every 10 minutes. */
  userKeepMs: 60 * 60 * 1_000,
  /** A status of a user in no room waits so long for the first one. */
  roomlessStatusKeepMs: 60 * 1_000,
} as const;
