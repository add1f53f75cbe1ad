/** Own acts that are shown before the server has confirmed them. Pure. */
import type { MessageAct } from '../outgoing.ts';
import { type KnownMessage, react } from './message.ts';
import type { Message } from './types.ts';

export interface PendingAct {
  readonly clientMsgId: string;
  readonly act: MessageAct;
  /** The stored entry of the act. The act is shown until this entry has arrived. */
  readonly storedAt: { readonly epoch: string; readonly seq: number } | null;
  /** The act is not sent yet, and can be undone. */
  readonly isHeld?: true;
}

/** The pending acts of each message, in order. */
export type Overlay = ReadonlyMap<number, readonly PendingAct[]>;

export function addAct(overlay: Overlay, pending: PendingAct): Overlay {
  const { seq } = pending.act;
  return new Map(overlay).set(seq, [...(overlay.get(seq) ?? []), pending]);
}

export const markStored = (overlay: Overlay, id: string, storedAt: PendingAct['storedAt']): Overlay =>
  change(overlay, (pending) => (pending.clientMsgId === id ? { ...pending, storedAt } : pending));

/** Removes acts that match `isOver`: the entry arrived, or the act was refused. */
export const dropActs = (overlay: Overlay, isOver: (pending: PendingAct) => boolean): Overlay =>
  change(overlay, (pending) => (isOver(pending) ? null : pending));

/** Messages without a change keep their list. */
function change(overlay: Overlay, to: (pending: PendingAct) => PendingAct | null): Overlay {
  const next = new Map<number, readonly PendingAct[]>();
  let isChanged = false;
  for (const [seq, acts] of overlay) {
    const after = acts.flatMap((pending) => to(pending) ?? []);
    const isSame = after.length === acts.length && after.every((one, i) => one === acts[i]);
    isChanged ||= !isSame;
    if (after.length > 0) next.set(seq, isSame ? acts : after);
  }
  return isChanged ? next : overlay;
}

/** The prefix cannot collide: client message ids contain no control characters. */
export const heldDeletion = (seq: number): PendingAct => ({
  clientMsgId: `\0held ${seq}`,
  act: { type: 'delete', seq },
  storedAt: null,
  isHeld: true,
});

/** The message with pending acts applied. */
type Shown = Omit<Message, 'pending' | 'canUndo'>;

export function messageWith(known: KnownMessage, acts: readonly PendingAct[], ownId: string): Message {
  const { asOf: _, staleAt: __, ...message } = known;
  const pending = [...new Set(acts.map(({ act }) => act.type))];
  const canUndo = acts.some(({ isHeld }) => isHeld);
  return { ...acts.reduce((before, { act }) => withAct(before, act, ownId), message), pending, canUndo };
}

function withAct(message: Shown, act: MessageAct, ownId: string): Shown {
  if (message.deleted !== null) return message;
  switch (act.type) {
    case 'edit': {
      const { text, mentions = [] } = act;
      return { ...message, text, mentions, edited: message.edited ?? { ts: message.ts } };
    }
    case 'delete':
      return { ...message, text: '', mentions: [], reactions: [], deleted: { ts: message.ts, by: ownId } };
    case 'pin':
      return { ...message, pinned: act.active };
    case 'react': {
      const { emoji, active } = act;
      const isMine = message.reactions.find((one) => one.emoji === emoji)?.mine ?? false;
      if (isMine === active) return message;
      return { ...message, reactions: react(message.reactions, act, ownId, ownId).reactions };
    }
  }
}
