/** The sends of one client to one room, with their outcomes. Pure. `forget` bounds its memory. */

/** `unknown`: there was no final answer. The message is stored at most once. */
import type { Content } from './content.ts';

export type SendOutcome =
  | { state: 'unknown' }
  | { state: 'stored'; seq: number; duplicate: boolean }
  | { state: 'refused' };

export interface Send {
  content: Content;
  outcome: SendOutcome;
  /**
   * The number of its connection. Undefined if it was sent again: then its order is not guaranteed.
   */
  connection: number | undefined;
}

interface OrderState {
  connection: number | undefined;
  orderPromised: boolean;
  highest: number;
  swapped: number;
}

export class SendLog {
  readonly #sends = new Map<string, Send>();
  #forgotten: OrderState = { connection: undefined, orderPromised: true, highest: 0, swapped: 0 };

  get sends(): ReadonlyMap<string, Send> {
    return this.#sends;
  }

  /** Adds a message or an act. They must be stored in the order of these calls. */
  add(clientMsgId: string, content: Content, connection: number): Send {
    const send: Send = { content, outcome: { state: 'unknown' }, connection };
    this.#sends.set(clientMsgId, send);
    return send;
  }

  /** Forgets the oldest sends that have an outcome and are not stored above `seq`. */
  forget(seq: number): void {
    for (const [id, send] of this.#sends) {
      const { outcome } = send;
      if (outcome.state === 'unknown' || (outcome.state === 'stored' && outcome.seq > seq)) return;
      this.#forgotten = checkOrder(this.#forgotten, send);
      this.#sends.delete(id);
    }
  }

  /** I3: sends that were stored before an earlier send of their connection. */
  swapped(): number {
    return [...this.#sends.values()].reduce(checkOrder, this.#forgotten).swapped;
  }

  unresolved(): number {
    return [...this.#sends.values()].filter(({ outcome }) => outcome.state === 'unknown').length;
  }
}

/** A refused or repeated send ends the order guarantee for the rest of its connection. */
function checkOrder(state: OrderState, { content, connection, outcome }: Send): OrderState {
  // An act without effect has no entry of its own.
  if ('act' in content && outcome.state === 'stored' && outcome.duplicate) return state;
  const isSame = connection === undefined || connection === state.connection;
  const before = isSame ? state : { ...state, connection, orderPromised: true, highest: 0 };
  if (!before.orderPromised || connection === undefined || outcome.state !== 'stored')
    return { ...before, orderPromised: false };
  const swapped = before.swapped + (outcome.seq <= before.highest ? 1 : 0);
  return { ...before, highest: Math.max(before.highest, outcome.seq), swapped };
}
