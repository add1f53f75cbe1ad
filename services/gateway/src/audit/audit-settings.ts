/** Settings of the audit. */
import { asInteger } from '@maru/service-kit';

export const AUDIT_FIELDS = {
  auditEntriesMax: {
    env: 'MARU_AUDIT_ENTRIES_MAX',
    doc: 'newest events of the audit that are kept, of each kind: acts and sign-ins',
    parse: asInteger(100, 10_000_000),
    fallback: 100_000,
  },
  auditAgeMs: {
    env: 'MARU_AUDIT_AGE_MS',
    doc: 'events of the audit that are older than this are removed',
    parse: asInteger(60_000, 10 * 365 * 86_400_000),
    fallback: 90 * 86_400_000,
  },
} as const;
