/**
 * Special rules of acts on messages: an act without effect is acknowledged without an entry, an act
 * on a deleted message is refused, and a deletion erases texts. Pure.
 */
import type { Entry } from '@maru/protocol/events';
import { type MessageAct, subjectOf, wordsOf } from './content.ts';

/** An act of `user` was acknowledged without an entry, because it has no effect at head `seq`. */
export interface UnchangedClaim {
  user: string;
  act: MessageAct;
  seq: number;
}

/** Acts that may have no effect. */
export const mayBeUnchanged = ({ type }: MessageAct): boolean => type !== 'message.edit';

const stateOf = ({ type, data }: MessageAct, user: string) =>
  JSON.stringify(type === 'message.react' ? [data.seq, user, data.emoji] : [type, data.seq]);
const isActive = ({ data }: MessageAct) => !('active' in data) || data.active;

/** Follows the log and compares each claim with the state at its `seq`. */
export function checkUnchanged(history: readonly Entry[], claims: readonly UnchangedClaim[]): string[] {
  const violations: string[] = [];
  const active = new Set<string>();
  const due = claims.toSorted((a, b) => a.seq - b.seq);
  const check = (belowSeq: number) => {
    for (let claim = due[0]; claim !== undefined && claim.seq < belowSeq; claim = due[0]) {
      due.shift();
      const { act, user, seq } = claim;
      if (active.has(stateOf(act, user)) !== isActive(act))
        violations.push(
          `I1: ${act.type} of ${act.data.seq} by ${user} was acknowledged at ${seq} and is not in history`,
        );
    }
  };
  for (const { seq, type, data, from } of history) {
    check(seq);
    if (!type.startsWith('message.')) continue;
    const act = { type, data } as MessageAct;
    if (isActive(act)) active.add(stateOf(act, from.id));
    else active.delete(stateOf(act, from.id));
  }
  check(Number.POSITIVE_INFINITY);
  return violations;
}

/** The limit in the contract. k6 has no packages, so it cannot be imported. */
export const PINS_PER_ROOM_MAX = 100;

const isPin = (act: MessageAct): boolean => act.type === 'message.pin' && act.data.active;

/** Maximum number of messages that were pinned at the same time. */
function mostPins(history: readonly Entry[]): number {
  const pinned = new Set<number>();
  let most = 0;
  for (const { type, data } of history) {
    if (type !== 'message.pin' && type !== 'message.delete') continue;
    const act = { type, data } as MessageAct;
    if (isPin(act)) pinned.add(act.data.seq);
    else pinned.delete(act.data.seq);
    most = Math.max(most, pinned.size);
  }
  return most;
}

export class ErasureChecker {
  /** When the deletion of a message was acknowledged, as a count of acknowledgements. */
  readonly #deletedAt = new Map<number, number>();
  readonly #askedAt = new Map<string, number>();
  readonly #erased = new Set<number>();
  readonly #notFound = new Set<number>();
  readonly #refused: Array<{ seq: number; code: string; act: MessageAct | undefined }> = [];
  #clock = 0;

  /**
   * The member starts to connect or join. From now on, it must not get texts that were deleted
   * before.
   */
  asks(member: string): void {
    this.#askedAt.set(member, this.#clock);
  }

  deletionAcknowledged(seq: number): void {
    if (!this.#deletedAt.has(seq)) this.#deletedAt.set(seq, ++this.#clock);
  }

  /** An act on the message, or a reply to it, was refused permanently. */
  refused(seq: number, code: string, act: MessageAct | undefined): void {
    if (code === 'not_found') this.#notFound.add(seq);
    else this.#refused.push({ seq, code, act });
  }

  /** A rollback may have removed a deletion. */
  rolledBack(): void {
    this.#deletedAt.clear();
    this.#erased.clear();
    this.#notFound.clear();
    this.#refused.length = 0;
  }

  received(member: string, entry: Entry): string | undefined {
    const subject = subjectOf(entry);
    if (wordsOf(entry) === undefined) {
      this.#erased.add(subject);
      return undefined;
    }
    if (entry.type !== 'text' && entry.type !== 'message.edit') return undefined;
    const deletedAt = this.#deletedAt.get(subject) ?? Number.POSITIVE_INFINITY;
    if (deletedAt > (this.#askedAt.get(member) ?? 0)) return undefined;
    return `I8: ${member} got a text of ${subject} after its deletion`;
  }

  finish(history: readonly Entry[]): string[] {
    const deleted = new Set<number>();
    for (const { type, data } of history) if (type === 'message.delete') deleted.add((data as { seq: number }).seq);
    const first = history[0]?.seq ?? 0;
    const wrong = (seqs: Iterable<number>, what: string) =>
      [...seqs]
        .filter((seq) => seq >= first && !deleted.has(seq))
        .map((seq) => `I8: ${seq} ${what}, and was not deleted`);
    const isFull = mostPins(history) >= PINS_PER_ROOM_MAX;
    const refused = this.#refused
      .filter(({ code, act }) => !(isFull && code === 'conflict' && act !== undefined && isPin(act)))
      .map(({ seq, code }) => `I1: an act on ${seq} was refused as ${code}`);
    return [...refused, ...wrong(this.#erased, 'came without its text'), ...wrong(this.#notFound, 'was not found')];
  }
}
