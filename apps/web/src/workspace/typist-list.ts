/** Who is typing in a room. A repeated signal of the same people does not notify listeners. */
import type { Scheduler } from '@maru/client';
import type { TypingSignal } from '@maru/protocol/events';
import { areSameTypists, expireTyping, receiveTyping, stopTyping, type Typists } from '../model/typing.ts';

export class TypistList {
  readonly #scheduler: Scheduler;
  readonly #onChange: (typists: Typists) => void;
  #typists: Typists = [];
  #cancelExpiry = () => {};

  constructor(scheduler: Scheduler, onChange: (typists: Typists) => void) {
    this.#scheduler = scheduler;
    this.#onChange = onChange;
  }

  receive(signal: TypingSignal): void {
    this.#set(receiveTyping(this.#typists, signal, this.#scheduler.now()));
  }

  /** Their messages have arrived. */
  stop(userIds: ReadonlySet<string>): void {
    this.#set(stopTyping(this.#typists, userIds));
  }

  clear(): void {
    this.#set([]);
  }

  close(): void {
    this.#cancelExpiry();
  }

  #set(typists: Typists): void {
    const was = this.#typists;
    if (typists === was) return;
    this.#typists = typists;
    this.#cancelExpiry();
    const nextMs = Math.min(...typists.map(({ untilMs }) => untilMs));
    if (typists.length > 0) {
      this.#cancelExpiry = this.#scheduler.after(Math.max(1, nextMs - this.#scheduler.now()), () =>
        this.#set(expireTyping(this.#typists, this.#scheduler.now())),
      );
    }
    if (!areSameTypists(was, typists)) this.#onChange(typists);
  }
}
