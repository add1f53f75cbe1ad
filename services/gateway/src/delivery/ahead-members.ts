/** Live members that got more than the sequencer has delivered, with the last `seq` they got. */
import type { Member } from './member.ts';

export class AheadMembers {
  readonly #seqs = new Map<Member, number>();

  get isEmpty(): boolean {
    return this.#seqs.size === 0;
  }

  add(member: Member, seq: number): void {
    this.#seqs.set(member, seq);
  }

  /** 0 for a member that is not ahead. */
  seqOf(member: Member): number {
    return this.#seqs.get(member) ?? 0;
  }

  delete(member: Member): void {
    this.#seqs.delete(member);
  }

  clear(): void {
    this.#seqs.clear();
  }

  /** Of what a member has, the entries up to `base` survived. They may be delivered later. */
  keepUpTo(base: number): void {
    for (const [member, seq] of this.#seqs) this.#seqs.set(member, Math.min(seq, base));
  }

  /** False if the member has the delivered entry. Forgets a member that is not ahead any more. */
  lacks(member: Member, seq: number): boolean {
    const has = this.seqOf(member);
    if (seq >= has) this.#seqs.delete(member);
    return seq > has;
  }
}
