/**
 * Own deletions that are shown but not sent yet. Until their delay ends, the user can undo them.
 */
import { onPageEnd } from '../page-hide.ts';
import type { Scheduler } from '../scheduler.ts';
import type { OwnActs } from './own-acts.ts';
import type { ActOutcome } from './types.ts';

interface Held {
  cancel: () => void;
  /** Ends the delay: the deletion was sent or undone. */
  end: (outcome: Promise<ActOutcome> | 'undone') => void;
}

export class HeldDeletions {
  readonly #acts: Pick<OwnActs, 'act' | 'show' | 'hide'>;
  readonly #scheduler: Scheduler;
  readonly #stop: () => void;
  readonly #held = new Map<number, Held>();

  constructor(acts: Pick<OwnActs, 'act' | 'show' | 'hide'>, scheduler: Scheduler) {
    this.#acts = acts;
    this.#scheduler = scheduler;
    this.#stop = onPageEnd(() => this.sendAll());
  }

  hold(seq: number, afterMs: number): Promise<ActOutcome | 'undone'> {
    this.undo(seq);
    this.#acts.show(seq);
    return new Promise((resolve) => {
      const cancel = this.#scheduler.after(afterMs, () => this.#send(seq));
      this.#held.set(seq, { cancel, end: resolve });
    });
  }

  undo(seq: number): void {
    this.#take(seq)?.end('undone');
  }

  sendAll(): void {
    for (const seq of [...this.#held.keys()]) this.#send(seq);
  }

  close(): void {
    this.#stop();
    this.sendAll();
  }

  #send(seq: number): void {
    this.#take(seq)?.end(this.#acts.act({ type: 'delete', seq }));
  }

  #take(seq: number): Held | undefined {
    const held = this.#held.get(seq);
    held?.cancel();
    this.#held.delete(seq);
    this.#acts.hide(seq);
    return held;
  }
}
