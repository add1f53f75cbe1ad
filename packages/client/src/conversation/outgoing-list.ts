/** Own messages of a room that have not arrived as entries, in the order sent. Pure. */
import type { Entry } from '@maru/protocol/events';
import type { OutgoingMessage } from '../events.ts';

export const without = (outgoing: readonly OutgoingMessage[], id: string): readonly OutgoingMessage[] =>
  outgoing.filter(({ clientMsgId }) => clientMsgId !== id);

/** A stored message stays until its entry arrives, so that it does not flicker. */
export function noteOutgoing(
  outgoing: readonly OutgoingMessage[],
  message: OutgoingMessage,
  position: number | null,
): readonly OutgoingMessage[] {
  const others = without(outgoing, message.clientMsgId);
  if (message.state.kind === 'stored' && message.state.position.seq <= (position ?? 0)) return others;
  const at = outgoing.findIndex(({ clientMsgId }) => clientMsgId === message.clientMsgId);
  const was = outgoing[at]?.state.kind;
  // A retried message moves to the end, because it is sent last.
  const isMoved = at === -1 || (was === 'failed' && message.state.kind === 'sending');
  return isMoved ? [...others, message] : outgoing.map((one, i) => (i === at ? message : one));
}

export function dropArrived(
  outgoing: readonly OutgoingMessage[],
  entries: readonly Entry[],
  ownId: string,
): readonly OutgoingMessage[] {
  const arrived = new Set(entries.filter(({ from }) => from.id === ownId).map(({ clientMsgId }) => clientMsgId));
  const last = entries.at(-1)?.seq ?? 0;
  const rest = outgoing.filter(
    ({ clientMsgId, state }) => !arrived.has(clientMsgId) && !(state.kind === 'stored' && state.position.seq <= last),
  );
  return rest.length === outgoing.length ? outgoing : rest;
}

/** The log is read anew, so stored messages come with it. */
export const dropStored = (outgoing: readonly OutgoingMessage[]): readonly OutgoingMessage[] =>
  outgoing.filter(({ state }) => state.kind !== 'stored');
