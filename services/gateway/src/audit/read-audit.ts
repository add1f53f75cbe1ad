/** Reads the audit in pages, newest first. The work for a page is bounded. */
import type { RedisStore } from '@maru/redis-store';
import { auditKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import type { AuditEvent, AuditKind } from './audit.ts';

/** Maximum entries to scan for a page. The cursor continues there, even if the page is empty. */
export const SCANNED_MAX = 1_000;
/** Entries to read in one call of the store. */
const STEP = 250;

export interface AuditQuery {
  kind: AuditKind;
  limit: number;
  cursor?: string | undefined;
  user?: string | undefined;
  room?: string | undefined;
  action?: string | undefined;
}

/** `ts`: milliseconds of the store's clock. */
export type AuditRecord = AuditEvent & { id: string; ts: number };

export interface AuditPage {
  events: AuditRecord[];
  /** Where the next page begins. Absent on the last page. */
  cursor?: string;
}

export type ReadAudit = (query: AuditQuery) => Promise<AuditPage>;

export function createReadAudit(options: { store: RedisStore; ageMs: number; storeNow: () => number }): ReadAudit {
  const { store, ageMs, storeNow } = options;
  return async (query) => {
    const key = auditKey(query.kind);
    const oldest = String(Math.max(0, storeNow() - ageMs));
    const events: AuditRecord[] = [];
    let after = query.cursor;
    for (let scanned = 0; scanned < SCANNED_MAX; scanned += STEP) {
      const from = after === undefined ? '+' : `(${after}`;
      const entries = await store
        .at(key, (redis) => redis.xrevrange(key, from, oldest, 'COUNT', STEP))
        .catch((error: unknown) => {
          throw unavailable(error);
        });
      for (const [id, fields] of entries) {
        after = id;
        const record = toRecord(id, fields[1]);
        if (record === undefined || !isMeant(record, query)) continue;
        events.push(record);
        if (events.length === query.limit) return { events, cursor: id };
      }
      if (entries.length < STEP) return { events };
    }
    return after === undefined ? { events } : { events, cursor: after };
  };
}

/** `user` matches both the acting and the affected user. */
function isMeant(record: AuditRecord, { user, room, action }: AuditQuery): boolean {
  return (
    (user === undefined || record.user === user || record.by === user) &&
    (room === undefined || record.room === room) &&
    (action === undefined || record.action === action)
  );
}

/** Undefined if no gateway wrote the entry. */
function toRecord(id: string, json: string | undefined): AuditRecord | undefined {
  try {
    const event = JSON.parse(json ?? '') as AuditEvent;
    if (typeof event?.action !== 'string' || typeof event.by !== 'string') return undefined;
    return { ...event, id, ts: Number(id.split('-')[0]) };
  } catch {
    return undefined;
  }
}
