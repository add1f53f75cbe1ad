/**
 * The audit: who did what to whom, when and why. Never a message text.
 *
 * Each event is logged at once, and added to a stream in the store soon after. There are two
 * streams, so a flood of sign-ins cannot displace acts. A store that does not answer delays
 * nothing: after a few retries, the event exists only in the log. If a failure hid the store's
 * answer, an event may be in the stream twice.
 */
import type { RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import type { Ticker } from '../cluster/ticker.ts';
import { auditKey } from '../keys.ts';

export interface AuditEvent {
  /** A fixed word such as `room.ban`. `sign-in.…` and `sign-out` go to the stream of sign-ins. */
  action: string;
  /** The acting user's id. */
  by: string;
  /** The affected user. */
  user?: string;
  room?: string;
  /** The name of a gateway. */
  node?: string;
  seq?: number;
  role?: string;
  untilTs?: number;
  reason?: string;
  outcome?: string;
  /** The address from which a user signed in. */
  address?: string;
}

export interface Audit {
  /** Returns at once. Never throws. */
  record(event: AuditEvent): void;
}

export interface ActAudit extends Audit {
  /** The same, unless this process has recorded the act with this name lately. */
  recordOnce(event: AuditEvent, name: string): void;
}

export const AUDIT_KINDS = ['acts', 'sign-ins'] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

export const kindOf = (action: string): AuditKind => (/^sign-(in|out)/.test(action) ? 'sign-ins' : 'acts');

/** Events of each stream that wait for the store. Others are only in the log. */
const WAITING_EVENTS_MAX = 1_000;
const RETRY_MS = [250, 1_000, 4_000];
/** Acts that this process remembers as recorded, about 100 bytes each. */
const REMEMBERED_MAX = 2_000;
/** Longest value of a field, in UTF-16 units; a longer one is cut. */
const FIELD_CHARS_MAX = 1_024;
const TRIM_PERIOD_MS = 60_000;

export function createAudit(options: {
  store: RedisStore;
  entriesMax: number;
  ageMs: number;
  logger: Logger;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
  onFailed: () => void;
}): ActAudit & { start(ticker: Ticker): void; stop(): void } {
  const { store, entriesMax, ageMs, logger, storeNow, onFailed } = options;
  const waiting: Record<AuditKind, number> = { acts: 0, 'sign-ins': 0 };
  const remembered = new Set<string>();
  let failing = false;
  let leaveTicker: (() => void) | undefined;

  const append = async (event: AuditEvent): Promise<void> => {
    const key = auditKey(kindOf(event.action));
    await store.at(key, (redis) => redis.xadd(key, 'MAXLEN', '~', entriesMax, '*', 'e', JSON.stringify(event)));
  };

  const keep = async (event: AuditEvent): Promise<void> => {
    for (const retryMs of [...RETRY_MS, undefined])
      try {
        await append(event);
        failing = false;
        return;
      } catch (error) {
        if (retryMs === undefined) return fail(error);
        await new Promise((resolve) => setTimeout(resolve, retryMs).unref());
      }
  };

  const fail = (error: unknown): void => {
    onFailed();
    if (!failing) logger.error({ err: error }, 'an audit event was not stored');
    failing = true;
  };

  /** Readers skip old events. Trimming frees their memory. */
  const trim = async (kind: AuditKind): Promise<void> => {
    const key = auditKey(kind);
    await store.at(key, (redis) => redis.xtrim(key, 'MINID', '~', Math.max(0, storeNow() - ageMs)));
  };

  const record = (event: AuditEvent): void => {
    const bounded = bound(event);
    logger.info({ audit: bounded }, 'audit');
    const kind = kindOf(event.action);
    if (waiting[kind] >= WAITING_EVENTS_MAX) {
      fail(new Error('too many events wait for the store'));
      return;
    }
    waiting[kind]++;
    void keep(bounded).finally(() => {
      waiting[kind]--;
    });
  };

  return {
    record,
    recordOnce(event, name) {
      if (remembered.has(name)) return;
      for (const oldest of remembered) {
        if (remembered.size < REMEMBERED_MAX) break;
        remembered.delete(oldest);
      }
      remembered.add(name);
      record(event);
    },
    start(ticker) {
      leaveTicker = ticker.join(TRIM_PERIOD_MS, () => {
        for (const kind of AUDIT_KINDS)
          trim(kind).catch((error: unknown) => logger.debug({ reason: String(error) }, 'the audit was not trimmed'));
      });
    },
    stop: () => leaveTicker?.(),
  };
}

/** Keeps only the known fields, each with a bounded size. */
function bound(event: AuditEvent): AuditEvent {
  const { action, by, user, room, node, seq, role, untilTs, reason, outcome, address } = event;
  const known = { action, by, user, room, node, seq, role, untilTs, reason, outcome, address };
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) => {
      if (value === undefined) return [];
      return [[name, typeof value === 'string' ? value.slice(0, FIELD_CHARS_MAX) : value]];
    }),
  ) as unknown as AuditEvent;
}
