/** Judges what senders were answered, against the final history: I1, and of I3 the order of one connection's sends. Pure. */
import type { Entry } from '@maru/protocol';

export interface SendRecord {
  /** User and `clientMsgId`. */
  key: string;
  connection: string;
  /** `life` is the place of the epoch among all that were seen. */
  outcome: 'unknown' | 'refused' | { life: number; seq: number; duplicate: boolean };
}

export function judgeSends(room: {
  /** In the order in which they were sent. */
  sends: readonly SendRecord[];
  history: readonly Entry[];
  /** For each life the highest seq that no rollback has taken. */
  survivedUpTo: readonly number[];
  keyOf: (user: string, clientMsgId: string | undefined) => string;
}): { violations: string[]; lost: number } {
  const { sends, history, survivedUpTo, keyOf } = room;
  const violations: string[] = [];
  const firstSeq = history[0]?.seq ?? 1;
  const stored = new Set(history.map(({ from, clientMsgId }) => keyOf(from.id, clientMsgId)));
  const lost = new Set<string>();
  const acknowledged = new Map<string, number>();
  /** The newest place of each connection; `refused` once a send of it was, after which its order is not promised. */
  const lastOf = new Map<string, { life: number; seq: number } | 'refused'>();
  for (const { key, connection, outcome } of sends) {
    if (outcome === 'unknown') continue;
    if (outcome === 'refused') {
      lastOf.set(connection, 'refused');
      continue;
    }
    const { life, seq, duplicate } = outcome;
    if (seq <= (survivedUpTo[life] ?? 0)) {
      const entry = history[seq - firstSeq];
      if (entry === undefined) violations.push(`I1: acknowledged ${seq} is not in history`);
      else if (keyOf(entry.from.id, entry.clientMsgId) !== key)
        violations.push(`I1: ${seq} was acknowledged for another message`);
      const before = acknowledged.get(key);
      if (before !== undefined && before !== seq)
        violations.push(`I1: one message was acknowledged as ${before} and as ${seq}`);
      acknowledged.set(key, seq);
    } else if (!stored.has(key)) lost.add(key);
    const last = lastOf.get(connection);
    // A duplicate was stored by an earlier send, on this connection or another.
    if (last === 'refused' || duplicate) continue;
    if (last !== undefined && (life < last.life || (life === last.life && seq < last.seq)))
      violations.push(`I3: ${connection} had ${seq} stored after ${last.seq}`);
    lastOf.set(connection, { life, seq });
  }
  return { violations, lost: lost.size };
}
