/** Settings of the service. */
import { asRedisAddress } from '@maru/redis-store';
import {
  asInteger,
  asNodeName,
  asOneOf,
  asSecret,
  asText,
  type ConfigOf,
  DEVELOPMENT_FIELD,
  LOG_LEVELS,
} from '@maru/service-kit';

export const settingFields = {
  node: { env: 'MARU_NODE', doc: 'name of this process, for logs', parse: asNodeName },
  host: { env: 'MARU_HOST', doc: 'address to listen on', parse: asText, fallback: '127.0.0.1' },
  listenPort: { env: 'MARU_LISTEN_PORT', doc: 'port for gateways', parse: asInteger(0, 65_535) },
  opsPort: { env: 'MARU_OPS_PORT', doc: 'port for health and metrics', parse: asInteger(0, 65_535) },
  redisUrl: {
    env: 'MARU_REDIS_URL',
    doc: 'the address of Redis; the same as the gateways have',
    parse: asRedisAddress,
    secret: true,
  },
  internalSecret: {
    env: 'MARU_INTERNAL_SECRET',
    doc: 'shared by gateways and presence',
    parse: asSecret,
    secret: true,
  },
  development: DEVELOPMENT_FIELD,
  logLevel: { env: 'MARU_LOG_LEVEL', doc: 'how much to log', parse: asOneOf(...LOG_LEVELS), fallback: 'info' },
  storeDeadlineMs: {
    env: 'MARU_STORE_DEADLINE_MS',
    doc: 'deadline of a call to Redis',
    parse: asInteger(50, 10_000),
    fallback: 800,
  },
  leaveGraceMs: {
    env: 'MARU_PRESENCE_LEAVE_GRACE_MS',
    doc: 'a user who returns within this time did not leave; covers a reconnect to another node',
    parse: asInteger(0, 120_000),
    fallback: 6_000,
  },
  diffMs: {
    env: 'MARU_PRESENCE_DIFF_MS',
    doc: 'delay from the first change in a room to the difference that announces it',
    parse: asInteger(10, 5_000),
    fallback: 400,
  },
  leaseMs: {
    env: 'MARU_PRESENCE_LEASE_MS',
    doc: 'a node that is silent for this long is dead; three times the interval at which a gateway renews its lease',
    parse: asInteger(500, 300_000),
    fallback: 15_000,
  },
  sweepMs: {
    env: 'MARU_PRESENCE_SWEEP_MS',
    doc: 'interval of checks for dead nodes',
    parse: asInteger(50, 60_000),
    fallback: 1_000,
  },
  sweepHoldMs: {
    env: 'MARU_PRESENCE_SWEEP_HOLD_MS',
    doc: 'after a start or a Redis failure no lease expires for this long, because gateways could not renew theirs',
    parse: asInteger(0, 300_000),
    fallback: 8_000,
  },
} as const;

export type PresenceSettings = ConfigOf<typeof settingFields>;

/** Fixed limits. */
export const BOUNDS = {
  /** Deadline of a report, by the clock of Redis. The node repeats a report that misses it. */
  reportBudgetMs: 2_000,
  /** Maximum users or pairs in one script call. */
  pageMax: 200,
  /** Maximum changes in one difference. */
  changesPerDiffMax: 1_000,
  /** Pause between two claims of due rooms: the maximum delay of a difference. */
  roomPauseMs: 100,
  /** Maximum rooms in one claim, and how many of them are in progress at a time. */
  roomClaimMax: 200,
  roomConcurrency: 16,
  /** Claimed work can be claimed again after this time, in case the claiming instance died. */
  claimMs: 3_000,
  /**
   * Expiry of a user's rooms and status, in case a crash left them behind, and of a status that was
   * set outside of rooms. Gateways report their whole state every 10 minutes.
   */
  userKeepMs: 60 * 60 * 1_000,
  /** How long Redis remembers when a user was last seen. It takes about 150 bytes for each user. */
  seenKeepMs: 30 * 24 * 60 * 60 * 1_000,
  /** The newest rooms of a reader that are compared with the rooms of others. */
  comparedRoomsMax: 200,
} as const;
