/**
 * Compares the entries and acknowledgements that one member received with the history of a quiet
 * room. Pure. The member log checks what arrived. This module checks whether it is correct (I1, I4,
 * I7).
 */
import type { Entry } from '@maru/protocol/events';
import { contentOf, sentContent, shapeOf, wordsOf } from './content.ts';
import type { MemberLog, ReceivedContent } from './member-log.ts';
import type { Send } from './send-log.ts';

export interface AuditInput {
  log: MemberLog;
  /** The log's position before the history was read. Later entries may not be in this history. */
  seen: number;
  /** Every `clientMsgId` of the run begins with `run`, and those of the member with `member`. */
  run: string;
  member: string;
  /** The member's user. Another member may have the same. */
  userId: string;
  /** The member's sends to this room by `clientMsgId`. */
  sends: ReadonlyMap<string, Send>;
  /** The history after `log.auditAfter()`, at least up to `until`, ascending. */
  history: readonly Entry[];
  /** Entries above this `seq` wait for the next audit. */
  until: number;
  /** The oldest `seq` that the server keeps. */
  first: number;
}

export interface AuditCounts {
  /**
   * Received entries that the history lacks or has with different content, and own messages and
   * acts that differ from what was sent.
   */
  mismatched: number;
  /** Acknowledged sends that are not stored under their `seq`. */
  acknowledgedLost: number;
  /** Own messages that are stored more than once. */
  storedTwice: number;
  /** Entries that no client sent, and own entries that the server had refused. */
  invented: number;
  /** Numbers that are missing in the history itself. */
  historyHoles: number;
}

export const NO_FAULTS: Readonly<AuditCounts> = {
  mismatched: 0,
  acknowledgedLost: 0,
  storedTwice: 0,
  invented: 0,
  historyHoles: 0,
};

export function auditMember(input: AuditInput): AuditCounts {
  const { log, history, sends } = input;
  const counts: AuditCounts = { ...NO_FAULTS };
  const after = Math.max(log.auditAfter(), input.first - 1);
  const stored = new Map<number, Entry>();
  const ownIds = new Set<string>();

  let expected = after + 1;
  for (const entry of history) {
    if (entry.seq <= after || entry.seq > input.until) continue;
    if (entry.seq !== expected) counts.historyHoles += Math.abs(entry.seq - expected);
    expected = entry.seq + 1;
    stored.set(entry.seq, entry);
    const received = log.received(entry.seq);
    if (received !== undefined && !isSame(received, entry)) counts.mismatched++;
    if (entry.type === 'text' || entry.type.startsWith('message.')) auditOwn(entry, input, ownIds, counts);
  }
  for (let seq = after + 1; seq <= Math.min(input.seen, input.until); seq++)
    if (log.received(seq) !== undefined && !stored.has(seq)) counts.mismatched++;
  for (const [id, { content, outcome }] of sends) {
    // An act without effect has no entry.
    if ('act' in content && outcome.state === 'stored' && outcome.duplicate && !ownIds.has(id)) continue;
    if (outcome.state !== 'stored' || outcome.seq <= after || outcome.seq > input.until) continue;
    const entry = stored.get(outcome.seq);
    if (entry?.clientMsgId !== id || entry.from.id !== input.userId) counts.acknowledgedLost++;
  }
  return counts;
}

/** A history shows the current text of a message, and no erased text. */
function isSame({ content, words }: ReceivedContent, entry: Entry): boolean {
  const now = wordsOf(entry);
  const mayDiffer =
    words === undefined || now === undefined || entry.edited !== undefined || entry.deleted !== undefined;
  return content === contentOf(entry) && (mayDiffer || words === now);
}

function auditOwn(entry: Entry, input: AuditInput, ownIds: Set<string>, counts: AuditCounts): void {
  const id = entry.clientMsgId ?? '';
  if (!id.startsWith(input.member)) {
    if (!id.startsWith(input.run)) counts.invented++;
    return;
  }
  if (entry.from.id !== input.userId) counts.mismatched++;
  if (ownIds.has(id)) counts.storedTwice++;
  ownIds.add(id);
  const send = input.sends.get(id);
  if (send === undefined || send.outcome.state === 'refused') counts.invented++;
  else {
    const { shape, words } = sentContent(send.content);
    if (shape !== shapeOf(entry) || !isSame({ content: contentOf(entry), words }, entry)) counts.mismatched++;
  }
}
