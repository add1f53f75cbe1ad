/**
 * Compares what a member saw and what it was promised with the room's history, once the room is quiet. Pure. The journal says what
 * came; this says whether it was true, and whether what was acknowledged is stored, once.
 */
import type { Entry } from '@maru/protocol/events';
import { fingerprint, type Journal } from './journal.ts';
import type { SendLedger } from './send-ledger.ts';

export interface AuditInput {
  journal: Journal;
  /** The journal's position before the history was read: what came later may not be in it. */
  seen: number;
  /** What every `clientMsgId` of this run begins with, and of this member. The room belongs to the run alone. */
  run: string;
  member: string;
  /** The member's user, whom another member may share, and its sends to this room by `clientMsgId`. */
  userId: string;
  sends: SendLedger['sends'];
  /** The history after `journal.auditAfter()`, at least to `until`, ascending. */
  history: readonly Entry[];
  /** What is above this `seq` is left for the next audit. */
  until: number;
  /** The oldest `seq` that is kept. */
  first: number;
}

export interface AuditResult {
  /** Entries that came and are not in the history, or with another content; own ones whose text is not what was sent. */
  mismatched: number;
  /** Sends that were acknowledged and are not stored under the `seq` that was told. */
  acknowledgedLost: number;
  /** Own messages that are stored more than once. */
  storedTwice: number;
  /** Entries that nobody of this run sent, and in this member's name any that it did not send or that was refused for good. */
  invented: number;
  /** Numbers that the history itself lacks. */
  historyHoles: number;
}

export function audit(input: AuditInput): AuditResult {
  const { journal, history, sends } = input;
  const result: AuditResult = { mismatched: 0, acknowledgedLost: 0, storedTwice: 0, invented: 0, historyHoles: 0 };
  const after = Math.max(journal.auditAfter(), input.first - 1);
  const stored = new Map<number, Entry>();
  const ownIds = new Map<string, number>();

  let expected = after + 1;
  for (const entry of history) {
    if (entry.seq <= after || entry.seq > input.until) continue;
    if (entry.seq !== expected) result.historyHoles += Math.abs(entry.seq - expected);
    expected = entry.seq + 1;
    stored.set(entry.seq, entry);
    const came = journal.received(entry.seq);
    if (came !== undefined && came !== fingerprint(entry)) result.mismatched++;
    if (entry.type !== 'text') continue;
    const id = entry.clientMsgId ?? '';
    if (!id.startsWith(input.member)) {
      if (!id.startsWith(input.run)) result.invented++;
      continue;
    }
    if (entry.from.id !== input.userId) result.mismatched++;
    const times = (ownIds.get(id) ?? 0) + 1;
    ownIds.set(id, times);
    if (times > 1) result.storedTwice++;
    const send = sends.get(id);
    if (send === undefined || send.outcome.state === 'refused') result.invented++;
    else if (send.text !== entry.text) result.mismatched++;
  }
  // The other direction: what came, and the history does not know.
  for (let seq = after + 1; seq <= Math.min(input.seen, input.until); seq++)
    if (journal.received(seq) !== undefined && !stored.has(seq)) result.mismatched++;
  for (const [id, { outcome }] of sends) {
    if (outcome.state !== 'stored' || outcome.seq <= after || outcome.seq > input.until) continue;
    const entry = stored.get(outcome.seq);
    if (entry?.clientMsgId !== id || entry.from.id !== input.userId) result.acknowledgedLost++;
  }
  return result;
}
