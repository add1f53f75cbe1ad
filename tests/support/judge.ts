/**
 * Judges one room from what clients saw and the final history: the invariants I1 to I4 and I7. Pure: it knows nothing of sockets.
 * I1 acknowledged ⇒ in history exactly once. I2 each member's log is a contiguous slice of history without doubles. I3 one order, and
 * sends of one connection in the order sent. I4 nothing that nobody sent. I7 unacknowledged ⇒ at most once.
 */
import type { Entry } from '@maru/protocol';

export interface Sent {
  user: string;
  /** Sends of one connection come in this list in the order in which they were made. */
  connection: string;
  clientMsgId: string;
  text: string;
  /** The `seq` of the acknowledgement, `refused` where the last answer was a refusal, `unknown` where none came. */
  outcome: number | 'refused' | 'unknown';
  /** True where it was refused at first and sent again: the order of such sends is not promised. */
  retried?: boolean;
}

export interface MemberLog {
  member: string;
  /** The head at the time of joining: entries begin at the next one. */
  floor: number;
  entries: readonly Entry[];
}

const VIOLATIONS_MAX = 20;

export function judge(room: {
  history: readonly Entry[];
  members: readonly MemberLog[];
  sends: readonly Sent[];
  /** True where every member stayed to the end and must have seen the newest entry. */
  complete: boolean;
}): string[] {
  const violations = [
    ...judgeHistory(room.history, room.sends),
    ...room.members.flatMap((log) => judgeMember(log, room.history, room.complete)),
    ...judgeSends(room.history, room.sends),
  ];
  return violations.slice(0, VIOLATIONS_MAX);
}

const keyOf = (user: string, clientMsgId: string | undefined) => `${user}\n${clientMsgId}`;

function judgeHistory(history: readonly Entry[], sends: readonly Sent[]): string[] {
  const violations: string[] = [];
  const sent = new Map(sends.map((send) => [keyOf(send.user, send.clientMsgId), send]));
  const seen = new Map<string, number>();
  history.forEach((entry, index) => {
    const previous = history[index - 1];
    if (previous !== undefined && entry.seq !== previous.seq + 1)
      violations.push(`I2: history goes from ${previous.seq} to ${entry.seq}`);
    if (previous !== undefined && entry.ts < previous.ts) violations.push(`I3: ts falls at ${entry.seq}`);
    const key = keyOf(entry.from.id, entry.clientMsgId);
    const earlier = seen.get(key);
    if (earlier !== undefined) violations.push(`I7: one message is stored as ${earlier} and ${entry.seq}`);
    seen.set(key, entry.seq);
    const send = sent.get(key);
    if (send === undefined) violations.push(`I4: nobody sent ${entry.seq}`);
    else if (send.text !== entry.text) violations.push(`I4: the text of ${entry.seq} is not what was sent`);
  });
  return violations;
}

function judgeMember(log: MemberLog, history: readonly Entry[], complete: boolean): string[] {
  const violations: string[] = [];
  const bySeq = new Map(history.map((entry) => [entry.seq, entry]));
  let expected = log.floor + 1;
  for (const entry of log.entries) {
    if (entry.seq < expected)
      violations.push(`I2: ${log.member} got ${entry.seq} again or late, after ${expected - 1}`);
    if (entry.seq > expected) violations.push(`I2: ${log.member} missed ${expected} to ${entry.seq - 1}`);
    expected = Math.max(expected, entry.seq + 1);
    const stored = bySeq.get(entry.seq);
    if (stored === undefined) violations.push(`I4: ${log.member} got ${entry.seq}, which is not in history`);
    else if (JSON.stringify(canonical(stored)) !== JSON.stringify(canonical(entry)))
      violations.push(`I3: ${log.member} got another ${entry.seq} than history holds`);
  }
  const head = history.at(-1)?.seq ?? 0;
  if (complete && expected !== head + 1)
    violations.push(`I2: ${log.member} ends at ${expected - 1}, history at ${head}`);
  return violations;
}

const canonical = ({ room, epoch, seq, ts, type, from, clientMsgId, text }: Entry) => [
  room,
  epoch,
  seq,
  ts,
  type,
  from.id,
  from.name,
  clientMsgId,
  text,
];

function judgeSends(history: readonly Entry[], sends: readonly Sent[]): string[] {
  const violations: string[] = [];
  const bySeq = new Map(history.map((entry) => [entry.seq, entry]));
  const lastOf = new Map<string, number>();
  for (const send of sends) {
    if (typeof send.outcome !== 'number') continue;
    const stored = bySeq.get(send.outcome);
    if (stored === undefined) violations.push(`I1: acknowledged ${send.outcome} is not in history`);
    else if (stored.from.id !== send.user || stored.clientMsgId !== send.clientMsgId || stored.text !== send.text)
      violations.push(`I1: ${send.outcome} was acknowledged for another message`);
    if (send.retried === true) continue;
    const last = lastOf.get(send.connection) ?? 0;
    if (send.outcome < last) violations.push(`I3: ${send.connection} sent ${send.outcome} after ${last}`);
    lastOf.set(send.connection, Math.max(last, send.outcome));
  }
  return violations;
}
