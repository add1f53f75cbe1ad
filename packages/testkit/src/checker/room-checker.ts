/**
 * Checks one room for all its members, while the test runs and against the final history. Pure: it
 * does not know sockets or time. It compares entries as they arrive and keeps only their content,
 * so a run of hours fits into memory.
 *
 * I1 acknowledged: in history exactly once. I2 the log of each member is a contiguous,
 * duplicate-free slice of history. I3 one total order; sends of one connection, if none was
 * refused, are stored in the order sent. I4 nothing appears that was not sent. I5 all members reach
 * the end of the history. I7 not acknowledged: in history at most once. I8, as far as entries show
 * it: `n` counts the messages, and deleted texts do not come again. A rollback begins a new epoch
 * at a base: only entries above the base may disappear.
 */
import type { Entry, LogState, Position, Recovery } from '@maru/protocol/events';
import { checkUnchanged, ErasureChecker } from './act-checker.ts';
import { type Content, contentOf } from './content.ts';
import { ContentChecker } from './content-checker.ts';
import { MemberLog } from './member-log.ts';
import { RoomModel } from './room-model.ts';
import { checkSends, keyOf, type SendRecord } from './send-checker.ts';

/** The server's answer about a resumed room. */
export type ResumeAnswer = LogState & Recovery;

export type Attempt = Content & {
  user: string;
  /** One transport of one client. */
  connection: string;
  clientMsgId: string;
};

export interface AttemptResult {
  stored(data: { epoch: string; seq: number; duplicate: boolean }): void;
  /** `code`: of a permanent refusal, for acts and replies that have another message as target. */
  refused(code?: string): void;
}

export interface RoomEnd {
  history: readonly Entry[];
  /** Number of rollbacks. */
  rollbacks: number;
  /** A rollback may have removed acknowledged messages. */
  mayLose?: boolean;
  /** Every member stayed until the end, so it must have the newest entry. Default true. */
  complete?: boolean;
}

interface Epoch {
  name: string;
  /** The head at its beginning, according to clients. */
  base: number | undefined;
  entries: Map<number, string>;
}

const VIOLATIONS_MAX = 50;
/** The server closes gaps up to this size. The texts of the tests stay far below its byte limit. */
const GAP_ENTRIES_MAX = 1_000;

export class RoomChecker {
  readonly violations: string[] = [];
  /** Number of gaps that the server declared. */
  gapsDeclared = 0;
  /** Number of acknowledged messages that a rollback removed. Known after `finish`. */
  lost = 0;
  readonly #room: string;
  readonly #logs = new Map<string, MemberLog>();
  /** In the order in which they were first seen. */
  readonly #epochs: Epoch[] = [];
  readonly #contents = new ContentChecker();
  readonly #erasures = new ErasureChecker();
  readonly #sends: SendRecord[] = [];
  #newest: Position | undefined;

  constructor(room: string) {
    this.#room = room;
  }

  /** The newest acknowledged position in the newest epoch. */
  get newest(): Position | undefined {
    return this.#newest;
  }

  /** Number of sent messages and acts. */
  get messages(): number {
    return this.#contents.size;
  }

  position(member: string): Position | undefined {
    return this.#logs.get(member)?.position();
  }

  /** Call it before the member connects or joins. */
  asks(member: string): void {
    this.#erasures.asks(member);
  }

  /** The member joined without a position. Its log begins after `head`. */
  joined(member: string, { epoch, head }: Pick<LogState, 'epoch' | 'head'>): void {
    this.#epochOf(epoch);
    this.#logs.set(member, new MemberLog({ epoch, head, entriesMax: 0 }));
  }

  /** The member reconnected and asked to continue after its position. */
  resumed(member: string, answer: ResumeAnswer): void {
    const log = this.#logs.get(member);
    if (log === undefined) {
      this.#report(`I2: ${member} got an answer to a resume that it did not ask for`);
      return;
    }
    const asked = log.position();
    const { epoch, head } = answer;
    this.#epochOf(epoch);
    if (answer.recovered) {
      if (epoch !== asked.epoch) this.#report(`I2: ${member} was recovered from another epoch without a notice of it`);
      if (head < asked.seq) this.#report(`I2: ${member} was recovered at ${head}, before its own ${asked.seq}`);
      return;
    }
    if (!isJustified(answer, asked))
      this.#report(`I2: ${member} at ${asked.seq} was not recovered (${answer.reason}), with the head at ${head}`);
    this.gapsDeclared++;
    log.skipTo(epoch, head);
  }

  /** The member was informed about a new epoch by `room:event`. */
  epochChanged(member: string, { epoch, head }: { epoch: string; head: number }): void {
    const known = this.#epochOf(epoch);
    if (known.base !== undefined && known.base !== head)
      this.#report(`I3: the base of one epoch is reported as ${known.base} and ${head}`);
    known.base = head;
    const log = this.#logs.get(member);
    if (log === undefined) {
      this.#report(`I2: ${member} was notified of an epoch before it had joined`);
      return;
    }
    if (log.position().epoch !== epoch) log.epochChanged(epoch, head);
  }

  received(member: string, entry: Entry): void {
    const log = this.#logs.get(member);
    if (log === undefined) {
      this.#report(`I2: ${member} got ${entry.seq} before it had joined`);
      return;
    }
    const { seq } = log.position();
    switch (log.record(entry)) {
      case 'in_order':
        break;
      case 'ahead':
        this.#report(`I2: ${member} missed ${seq + 1} to ${entry.seq - 1}`);
        break;
      case 'foreign':
        this.#report(`I2: ${member} got ${entry.seq} of another epoch without a notice of it`);
        log.skipTo(entry.epoch, Math.max(entry.seq, seq));
        break;
      default:
        this.#report(`I2: ${member} got ${entry.seq} again or late, after ${seq}`);
    }
    this.#checkContent(member, entry);
  }

  /** I8: differences between a view or a count of the member and a read. */
  differs(member: string, differences: readonly string[]): void {
    for (const what of differences) this.#report(`I8: ${member}: ${what}`);
  }

  /** Call it before the message is sent. */
  sent(attempt: Attempt): AttemptResult {
    const { user, connection, clientMsgId } = attempt;
    const key = keyOf(user, clientMsgId);
    const act = 'act' in attempt ? attempt.act : undefined;
    this.#contents.sent(key, attempt);
    const record: SendRecord = { key, user, act, connection, outcome: 'unknown' };
    this.#sends.push(record);
    return {
      stored: ({ epoch, seq, duplicate }) => {
        const epochIndex = this.#epochs.indexOf(this.#epochOf(epoch));
        record.outcome = { epochIndex, seq, duplicate };
        const newestIndex = this.#epochs.findIndex(({ name }) => name === this.#newest?.epoch);
        if (epochIndex > newestIndex || (epochIndex === newestIndex && seq > (this.#newest?.seq ?? 0)))
          this.#newest = { epoch, seq };
        if (act?.type === 'message.delete' && epochIndex === this.#epochs.length - 1)
          this.#erasures.deletionAcknowledged(act.data.seq);
      },
      refused: (code) => {
        record.outcome = 'refused';
        const target = act?.data.seq ?? ('thread' in attempt ? attempt.thread : undefined);
        if (code !== undefined && target !== undefined) this.#erasures.refused(target, code, act);
      },
    };
  }

  /** The expected state of the room according to this history. `mayRead`: see `ModelOptions`. */
  model(history: readonly Entry[], mayRead?: (user: string) => boolean): RoomModel {
    const sent = (entry: Entry) => this.#contents.wordsSent(entry);
    return new RoomModel({ history, sent, ...(mayRead === undefined ? {} : { mayRead }) });
  }

  /** Compares everything that was seen with the final history. @returns all violations */
  finish({ history, rollbacks, mayLose = true, complete = true }: RoomEnd): string[] {
    for (const violation of this.#contents.checkHistory(history)) this.#report(violation);
    const survivedUpTo = this.#survivedUpTo(history);
    this.#checkDelivered(history, survivedUpTo);
    const sends = checkSends({ sends: this.#sends, history, survivedUpTo });
    for (const violation of sends.violations) this.#report(violation);
    // If the oldest entries are missing, or after a rollback, an act may have a target that is
    // gone.
    if (rollbacks === 0 && (history[0]?.seq ?? 1) === 1)
      for (const violation of [...this.#erasures.finish(history), ...checkUnchanged(history, sends.unchanged)])
        this.#report(violation);
    this.lost = sends.lost;
    if (this.lost > 0 && !mayLose) this.#report(`I1: a rollback removed ${this.lost} acknowledged messages`);
    if (complete) this.#checkPositions(history.at(-1));
    const begun = this.#epochs.length - 1;
    if (begun > rollbacks) this.#report(`I1: the log began ${begun} new epochs and was rolled back ${rollbacks} times`);
    return this.violations;
  }

  #report(violation: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(`${violation} (${this.#room})`);
  }

  #epochOf(name: string): Epoch {
    const known = this.#epochs.find((epoch) => epoch.name === name);
    if (known !== undefined) return known;
    if (this.#epochs.length > 0) this.#erasures.rolledBack();
    const epoch: Epoch = { name, base: undefined, entries: new Map() };
    this.#epochs.push(epoch);
    return epoch;
  }

  #checkContent(member: string, entry: Entry): void {
    const { entries } = this.#epochOf(entry.epoch);
    const content = contentOf(entry);
    const known = entries.get(entry.seq);
    if (known === undefined) {
      entries.set(entry.seq, content);
      for (const violation of this.#contents.check(entry, `${member} got ${entry.seq}, which was not sent`))
        this.#report(violation);
    } else if (known !== content) this.#report(`I3: ${member} got another ${entry.seq} than an earlier member`);
    for (const violation of this.#contents.checkWords(entry)) this.#report(violation);
    const late = this.#erasures.received(member, entry);
    if (late !== undefined) this.#report(late);
  }

  #checkDelivered(history: readonly Entry[], survivedUpTo: readonly number[]): void {
    const firstSeq = history[0]?.seq ?? 1;
    this.#epochs.forEach(({ entries }, index) => {
      for (const [seq, content] of entries) {
        if (seq > (survivedUpTo[index] ?? 0)) continue;
        const stored = history[seq - firstSeq];
        if (stored === undefined) this.#report(`I4: ${seq} was delivered and is not in history`);
        else if (contentOf(stored) !== content) this.#report(`I3: another ${seq} was delivered than is in history`);
      }
    });
  }

  #checkPositions(last: Entry | undefined): void {
    if (last === undefined) return;
    for (const [member, log] of this.#logs) {
      const { epoch, seq } = log.position();
      if (seq !== last.seq || epoch !== last.epoch)
        this.#report(`I5: ${member} ends at ${seq} of ${epoch}, history at ${last.seq} of ${last.epoch}`);
    }
  }

  /**
   * For each epoch the highest `seq` that must be in the final history: the lowest base of later
   * epochs.
   */
  #survivedUpTo(history: readonly Entry[]): number[] {
    const bounds = this.#epochs.map(() => Number.POSITIVE_INFINITY);
    for (let index = this.#epochs.length - 1; index > 0; index--) {
      // If no client received the base, the epoch began after the last entry that both share.
      const base = this.#epochs[index]?.base ?? sharedUpTo(this.#epochs[index - 1]?.entries, history);
      bounds[index - 1] = Math.min(bounds[index] ?? 0, base);
    }
    return bounds;
  }
}

/** Whether the server may leave a gap for this reason. */
function isJustified(answer: ResumeAnswer & { recovered: false }, asked: Position): boolean {
  const { reason, epoch, head, first } = answer;
  if (reason === 'epoch') return epoch !== asked.epoch || asked.seq > head;
  if (reason === 'trimmed') return first > asked.seq + 1;
  return reason === 'too_far' && head - asked.seq > GAP_ENTRIES_MAX;
}

function sharedUpTo(entries: Map<number, string> | undefined, history: readonly Entry[]): number {
  let shared = 0;
  for (const entry of history) if (entries?.get(entry.seq) === contentOf(entry)) shared = entry.seq;
  return shared;
}
