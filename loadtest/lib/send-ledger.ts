/** What one member sent to one room, and what became of it. Pure; bounded where `forget` is called now and then. */

/** What became of one `message:send`. `unknown` is one that was never answered for good: stored at most once, or not at all. */
export type SendOutcome = { state: 'unknown' } | { state: 'stored'; seq: number } | { state: 'refused' };

export interface Send {
  text: string;
  outcome: SendOutcome;
  /** The number of the connection on which it was sent, once; undefined when it was sent again. Order is promised to the former only. */
  connection: number | undefined;
}

export interface SendLedger {
  readonly sends: ReadonlyMap<string, Send>;
  /** Begins to follow a message. In the order of these calls messages must be stored, connection by connection. */
  add(clientMsgId: string, text: string, connection: number): Send;
  /** Forgets the oldest sends that are settled and, if stored, not above `seq`. */
  forget(seq: number): void;
  /** Own sends that were stored before an earlier one of the same connection, of which nothing was refused or sent again. */
  swapped(): number;
  unresolved(): number;
}

interface OrderState {
  connection: number | undefined;
  judged: boolean;
  highest: number;
  swapped: number;
}

export function createSendLedger(): SendLedger {
  const sends = new Map<string, Send>();
  let forgotten: OrderState = { connection: undefined, judged: true, highest: 0, swapped: 0 };

  return {
    sends,
    add(clientMsgId, text, connection) {
      const send: Send = { text, outcome: { state: 'unknown' }, connection };
      sends.set(clientMsgId, send);
      return send;
    },
    forget(seq) {
      for (const [id, send] of sends) {
        const { outcome } = send;
        if (outcome.state === 'unknown' || (outcome.state === 'stored' && outcome.seq > seq)) return;
        forgotten = judgeOrder(forgotten, send);
        sends.delete(id);
      }
    },
    swapped: () => [...sends.values()].reduce(judgeOrder, forgotten).swapped,
    unresolved: () => [...sends.values()].filter(({ outcome }) => outcome.state === 'unknown').length,
  };
}

function judgeOrder(state: OrderState, { connection, outcome }: Send): OrderState {
  // One that was sent again belongs to the connection at hand, and ends what is promised to it.
  const same = connection === undefined || connection === state.connection;
  const before = same ? state : { ...state, connection, judged: true, highest: 0 };
  if (!before.judged || connection === undefined || outcome.state !== 'stored') return { ...before, judged: false };
  const swapped = before.swapped + (outcome.seq <= before.highest ? 1 : 0);
  return { ...before, highest: Math.max(before.highest, outcome.seq), swapped };
}
