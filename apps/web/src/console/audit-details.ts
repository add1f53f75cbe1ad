/** What was done, apart from who did it to whom. Pure. */
import type { useSection } from '../i18n/index.ts';
import type { Formats } from './formats.ts';
import type { AuditEvent } from './types.ts';

type AuditWords = Pick<ReturnType<typeof useSection<'console'>>, 'messageAt' | 'auditUntil' | 'roomRoles'>;

export function auditDetails(
  { seq, role, untilTs, address }: Pick<AuditEvent, 'seq' | 'role' | 'untilTs' | 'address'>,
  words: AuditWords,
  formats: Pick<Formats, 'count' | 'time'>,
): string[] {
  const roles: Record<string, string> = words.roomRoles;
  return [
    seq === undefined ? [] : words.messageAt(formats.count(seq)),
    role === undefined ? [] : (roles[role] ?? role),
    untilTs === undefined ? [] : words.auditUntil(formats.time(untilTs)),
    address ?? [],
  ].flat();
}
