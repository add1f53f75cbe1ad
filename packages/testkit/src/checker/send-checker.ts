/**
 * Checks acknowledgements against the final history: I1, and the order of a connection's sends
 * (I3). Pure.
 */
import type { Entry } from '@maru/protocol/events';
import { mayBeUnchanged, type UnchangedClaim } from './act-checker.ts';
import type { MessageAct } from './content.ts';

export interface SendRecord {
  /** User and `clientMsgId`. */
  key: string;
  user: string;
  /** Undefined for a message. */
  act: MessageAct | undefined;
  connection: string;
  /** `epochIndex`: the place of the epoch among those of the room. */
  outcome: 'unknown' | 'refused' | { epochIndex: number; seq: number; duplicate: boolean };
}

export const keyOf = (user: string, clientMsgId: string | undefined): string => `${user}\n${clientMsgId}`;

export function checkSends(room: {
  /** In the order in which they were sent. */
  sends: readonly SendRecord[];
  history: readonly Entry[];
  /** For each epoch the highest `seq` that no rollback has removed. */
  survivedUpTo: readonly number[];
}): { violations: string[]; lost: number; unchanged: UnchangedClaim[] } {
  const { sends, history, survivedUpTo } = room;
  const violations: string[] = [];
  const firstSeq = history[0]?.seq ?? 1;
  const stored = new Set(history.map(({ from, clientMsgId }) => keyOf(from.id, clientMsgId)));
  const unchanged: UnchangedClaim[] = [];
  const lost = new Set<string>();
  const acknowledged = new Map<string, number>();
  /** The newest position of each connection. After a refusal, its order is not guaranteed. */
  const lastOf = new Map<string, { epochIndex: number; seq: number } | 'refused'>();
  for (const { key, user, act, connection, outcome } of sends) {
    if (outcome === 'unknown') continue;
    if (outcome === 'refused') {
      lastOf.set(connection, 'refused');
      continue;
    }
    const { epochIndex, seq, duplicate } = outcome;
    if (act !== undefined && duplicate && mayBeUnchanged(act) && !stored.has(key)) {
      if (seq <= (survivedUpTo[epochIndex] ?? 0)) unchanged.push({ user, act, seq });
      continue;
    }
    if (seq <= (survivedUpTo[epochIndex] ?? 0)) {
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
    // An earlier send, possibly on another connection, stored the message.
    if (last === 'refused' || duplicate) continue;
    if (last !== undefined && (epochIndex < last.epochIndex || (epochIndex === last.epochIndex && seq < last.seq)))
      violations.push(`I3: ${connection} had ${seq} stored after ${last.seq}`);
    lastOf.set(connection, { epochIndex, seq });
  }
  return { violations, lost: lost.size, unchanged };
}
